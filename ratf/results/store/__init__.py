"""Runs in a store that several machines share, as `s3://bucket/folder`: addresses, objects, and folders put there whole."""
