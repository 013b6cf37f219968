"""Quality of observations: units converted as they come in, and doubts told as flags, by declaration."""
