"""Tests of the video base."""
