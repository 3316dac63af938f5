"""Requests to models: the local provider, the budget that counts them, and their recording and replay."""
