"""The observation journal: an append-only file in which every acknowledged observation stands before it is acknowledged."""
