"""Tests: what the city promises, each test a sentence."""
