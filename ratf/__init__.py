"""RATF, the harness: does this agent really answer like that person, and what made it so?"""
