"""The work of understanding: reading texts, finding the same event, and learning from corrections."""
