"""Tests of what its folder is named after."""
