"""The OGC face at `/ogc`: API Features Parts 1 to 4, API Tiles, TileJSON and styles over every declared layer."""
