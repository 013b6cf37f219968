"""The engines of search: SQLite FTS5 and PostgreSQL text search, given the same tokens."""
