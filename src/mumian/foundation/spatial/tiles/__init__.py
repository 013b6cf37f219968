"""Tiles: features cut, simplified and encoded for maps, straight from the cache of their layer."""
