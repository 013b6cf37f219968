"""Tests of understanding what people report."""
