"""Lawful removal as evidence: what was told of it, and what the lake must hold since."""
