"""Indicators 指标: what the city wants to reach, where it stands, and which way it moves."""
