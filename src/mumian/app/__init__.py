"""The composition root: finds all components and puts them together into one running city."""
