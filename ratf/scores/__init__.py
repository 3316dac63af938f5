"""The scorers, what they measure, and the exam that each metric must pass."""
