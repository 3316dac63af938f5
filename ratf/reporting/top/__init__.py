"""The first screen of a report: the answer in three lines, and what can be trusted."""
