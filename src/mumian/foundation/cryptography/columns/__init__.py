"""Columns: the keyed digest HMAC-SM3 over many short values at once, for tokens in the place of personal values."""
