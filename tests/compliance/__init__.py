"""Compliance: one suite per port, run on every engine."""
