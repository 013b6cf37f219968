"""Rules of buildings: what files say, what shapes cover, what records may hold."""
