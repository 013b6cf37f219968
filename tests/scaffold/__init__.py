"""Tests of the scaffold."""
