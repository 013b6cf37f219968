"""The work of the ledger: recording, signing heads, verifying everything, and bundling evidence."""
