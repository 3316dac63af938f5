"""A run for a paper: its plots as figures, and its tables in LaTeX, Markdown, CSV and Parquet."""
