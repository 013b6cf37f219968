"""Rules of the infrastructure ledger."""
