"""Tests of buildings: files of cities, counts of premises, and pipes below the ground."""
