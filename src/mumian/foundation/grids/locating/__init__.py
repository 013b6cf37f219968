"""Locating: which of many polygons holds each of millions of points, and the neutral grid H3."""
