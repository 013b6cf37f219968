"""Tests of the infrastructure ledger."""
