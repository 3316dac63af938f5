"""Judges: rubrics, the prompts made of them, the replies read strictly, and the exam that each must pass."""
