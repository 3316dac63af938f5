"""What is to be run: the suite, its arms, metrics and rubrics, and the study that it opens."""
