"""Answers made from a real answer by rule, each with a log of what was changed: rewordings, parts, and turned copies."""
