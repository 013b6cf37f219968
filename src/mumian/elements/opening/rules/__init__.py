"""Rules of opening: how rows are written in each format, asked for, judged for privacy, and counted in the public indices."""
