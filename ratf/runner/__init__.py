"""A run from its suite to its results, what it will ask, and what it checks before."""
