"""The engine: DuckDB by its C interface, with functions of our own that see whole vectors of values."""
