"""Incidents at work: their life, and checking what is kept against its evidence."""
