"""Services of buildings: keeping, importing, telling and exporting."""
