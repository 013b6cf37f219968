"""Rules of understanding: pure readings of a text, each with the words that it rests on."""
