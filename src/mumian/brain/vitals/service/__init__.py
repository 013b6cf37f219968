"""Vitals at work: layout of what is evaluated together, rolling grids of observations, rounds, and where values came from."""
