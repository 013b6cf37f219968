"""Infrastructure 数字新基础: one ledger of what the city has built, how well it serves, and where the next should stand."""
