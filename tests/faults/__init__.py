"""Faults: what the city must survive without losing or doubling anything that it acknowledged."""
