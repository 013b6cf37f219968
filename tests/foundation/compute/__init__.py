"""Tests of compute pools."""
