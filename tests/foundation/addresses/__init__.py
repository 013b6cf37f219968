"""Tests of standard addresses."""
