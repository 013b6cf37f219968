"""The planner: a process of its own in which the next places are searched for; it talks over its standard streams only."""
