"""Counting and proving what is handed out under grants."""
