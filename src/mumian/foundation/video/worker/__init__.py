"""The worker: a process of its own in which pictures are decoded and looked at; it talks over its standard streams only."""
