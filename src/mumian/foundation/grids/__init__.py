"""Grids 网格: five levels with codes and history, the buildings and city components in them, and visits to all of these."""
