"""Many people and many settings in one suite file: cells, each a run of its own, and what they say together."""
