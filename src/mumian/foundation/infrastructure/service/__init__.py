"""What happens in the infrastructure ledger."""
