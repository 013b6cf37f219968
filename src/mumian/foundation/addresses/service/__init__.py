"""Addresses at work: parsing, finding, keeping, importing, and checking what is kept against its evidence."""
