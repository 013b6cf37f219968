"""Tests of the device ledger."""
