"""Incidents 事件: what has to be handled in the city, from report to close, with the evidence that proves it."""
