"""Every request to a model: the provider, the budget, and what is recorded."""
