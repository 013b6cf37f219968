"""Exchange jobs beside the server: kept, started in processes of their own, watched, and told to the ledger."""
