"""Reading and writing the files."""
