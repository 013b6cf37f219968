"""Tests of collection: connectors, drift, resuming, previews, forms, harvests."""
