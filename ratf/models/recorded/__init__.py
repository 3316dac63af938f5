"""Requests to models kept in files and answered from them."""
