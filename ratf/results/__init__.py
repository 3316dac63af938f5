"""What came out of a run: the records, the folder and the bundle that keep them, and how two runs compare."""
