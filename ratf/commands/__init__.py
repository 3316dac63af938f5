"""The commands of `ratf` that read finished runs, one module each."""
