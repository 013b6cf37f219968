"""Storage: the ports behind which data is kept — records, lake, objects, messages — and their engines."""
