"""The commands that give a run to others."""
