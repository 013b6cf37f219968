"""Entries of the catalogue: one row for each dataset, whether declared, made of a stream or harvested, and how they are found."""
