"""Rules of addresses: pure decisions about text, divisions, segments, standard forms and matches."""
