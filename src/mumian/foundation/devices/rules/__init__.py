"""Decisions of the device ledger: its life cycle, its fields, who is online, what is near, what a file means."""
