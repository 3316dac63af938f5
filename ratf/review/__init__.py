"""Other people check a run: a bundle worked out again, and human readers."""
