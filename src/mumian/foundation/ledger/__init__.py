"""Ledger 存证账本: a tamper-evident log of everything that happens, after RFC 9162, with signed heads and proofs."""
