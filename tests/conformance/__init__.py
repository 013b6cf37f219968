"""Conformance: the faces of the city against their own descriptions and standards."""
