"""The results of a run: their records, the folder and the bundle that keep them, and how two runs compare."""
