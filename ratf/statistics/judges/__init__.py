"""Whether a judge's choices can be trusted: its exam, its power, its votes."""
