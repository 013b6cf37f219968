"""Tests of the spatial base."""
