"""Bringing files in: a worker process reads what anybody may have sent, so that no broken file can take the platform down."""
