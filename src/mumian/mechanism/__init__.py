"""Mechanism 发展新机制: how the city's work is judged and steered."""
