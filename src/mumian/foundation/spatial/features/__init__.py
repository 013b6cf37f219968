"""Features: a cache of every layer that answers in milliseconds, over a base in the lake and edits in the records."""
