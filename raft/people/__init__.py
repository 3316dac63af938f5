"""A person's folder: reading and checking it, adding to it, splitting it, and finding what leaks."""
