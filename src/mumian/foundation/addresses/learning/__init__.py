"""Learning: a city trains a sequence model on its own labelled addresses; the parser then uses it."""
