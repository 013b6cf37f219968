"""The work of the catalogue: tables of rows and their loads."""
