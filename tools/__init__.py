"""Tools that keep the house in order; none of them is part of the running city."""
