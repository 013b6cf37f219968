"""Tests of environment."""
