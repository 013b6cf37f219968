"""Records: the transactional store, one writer thread that groups commits, on SQLite or PostgreSQL."""
