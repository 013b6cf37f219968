"""Reports: how runs are shown to people."""
