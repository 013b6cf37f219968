"""What registers do: take in records, match them, keep golden records, and answer."""
