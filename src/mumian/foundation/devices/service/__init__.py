"""The device ledger at work: lives, files, credentials, presence, commands and analysis."""
