"""Channels at work: queueing messages in the sender's own commit, and sending them."""
