"""Messages: the city's events for programmes outside of it, from the outbox itself or over NATS JetStream."""
