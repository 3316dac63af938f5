"""Agents whose answers are given, not made by a model."""
