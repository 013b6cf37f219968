"""Tests of keys, digests and signatures."""
