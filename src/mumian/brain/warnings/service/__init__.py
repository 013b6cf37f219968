"""Warnings at work: judging values, and checking what is kept against its evidence."""
