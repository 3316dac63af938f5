"""Memories: passages of the writings, recalled for a question, rephrased and gated."""
