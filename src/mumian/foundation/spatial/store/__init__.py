"""SQL of the spatial base: kept sources of layers, the state of layers, and edits of their features."""
