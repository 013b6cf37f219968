"""The worker: a process that starts one job, confined and bounded, waits for it, and writes down how it ended."""
