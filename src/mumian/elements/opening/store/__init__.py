"""SQL of opening: checks and profiles, packages as CKAN writes them, what the public says, and how often data are used."""
