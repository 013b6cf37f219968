"""Decisions of collection: matching columns to fields, reading values, telling drift, knowing what is due."""
