"""The verdict on a finished run: its policy, the rules, and the gate."""
