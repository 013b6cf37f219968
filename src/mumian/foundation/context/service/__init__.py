"""Service of context: what is held in memory, how it becomes durable, and who is told."""
