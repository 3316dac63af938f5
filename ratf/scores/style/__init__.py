"""How an answer sounds: the measures of voice, and their exam."""
