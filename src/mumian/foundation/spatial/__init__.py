"""Spatial base 时空底座: coordinates, boundary layers, and the district that a point lies in."""

FACES = ("/ogc", "/api/v1/city")
