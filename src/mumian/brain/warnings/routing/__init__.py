"""Routing 预警分发: who is told of which warnings, when and how often — grouped, inhibited, silenced, escalated, acknowledged."""
