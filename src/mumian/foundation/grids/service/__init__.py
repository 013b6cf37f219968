"""Grids at work: history, imports, location, registers, visits, and checking what is kept against its evidence."""
