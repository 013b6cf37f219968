"""Harvest 级联: catalogues of districts and other portals become part of the city's one catalogue; their data come on demand."""
