"""Declarations: the one language in which a city is configured — typed documents, planned, applied and rolled back as one."""
