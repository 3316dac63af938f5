"""The agents that answer: their memories, their training, their prompts, and the controls."""
