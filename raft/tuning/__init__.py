"""Fine-tuning: samples, the files that hold them, and the tuners."""
