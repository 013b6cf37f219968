"""Rules of grids: codes, boundaries, history and visits; pure decisions."""
