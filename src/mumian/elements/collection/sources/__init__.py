"""Sources: where rows come from; each gives batches, from where it was left, and reaches only what the settings allow."""
