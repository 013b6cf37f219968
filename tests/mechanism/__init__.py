"""Tests of mechanism."""
