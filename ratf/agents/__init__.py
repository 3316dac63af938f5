"""Who answers, and with what: memories, training and the controls."""
