"""Rules of tables: what a cell says, and how it is written so that no spreadsheet runs it."""
