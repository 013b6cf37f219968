"""Tests of elements."""
