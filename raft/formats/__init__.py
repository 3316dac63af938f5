"""Files that people and strangers hand in, read within limits: YAML and JSON."""
