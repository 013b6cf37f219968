"""The work of identity: decisions, passwords, sign-in and accounts."""
