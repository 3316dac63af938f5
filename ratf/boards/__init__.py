"""Several runs as a leaderboard and its site."""
