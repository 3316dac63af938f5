"""What it costs, beside what a user would take instead: `python -m benchmarks.bench` writes docs/performance.md."""
