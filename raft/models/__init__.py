"""Models by name: the embedded ones, their weights, and how they generate."""
