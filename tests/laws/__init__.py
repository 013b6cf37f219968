"""Laws: what keeps the house in order, held by tests without a list of exceptions."""
