"""The work of a sweep: its units, and who carries them out: this process, several, or a cluster."""
