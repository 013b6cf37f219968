"""Previews: how a file would be read, shown to a person who corrects and confirms it before anything is declared."""
