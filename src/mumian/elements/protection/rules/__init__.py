"""The decisions of protection: what a caller sees of each field, which SQL is let through, and how it is rewritten."""
