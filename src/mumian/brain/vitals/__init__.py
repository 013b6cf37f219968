"""Vitals 城市体征: numbers that say how the city is, worked out from observations as they arrive."""
