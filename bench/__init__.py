"""Benchmarks: one module each, run as `mumian bench NAME --json`; results are kept with machine and commit."""
