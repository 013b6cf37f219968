"""SQL of quality: runs with their results, tickets with their steps, and what profiles suggest."""
