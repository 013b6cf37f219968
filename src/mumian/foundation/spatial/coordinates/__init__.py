"""Coordinates turned from any known system into any other, whole arrays at a time."""
