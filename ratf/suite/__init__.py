"""What is run: the suite with its arms, metrics and rubrics, and the study that opening a suite gives."""
