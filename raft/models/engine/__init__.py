"""How an embedded model generates: its own attention, its memory of keys and values, and the choice of a token."""
