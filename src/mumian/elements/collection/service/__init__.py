"""The work of collection: running connectors, staging and checking rows, loading them."""
