"""Fine-tuning: the training samples, the files that hold them, and the tuners."""
