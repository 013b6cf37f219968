"""Evaluation 考核评价: how many incidents are closed in time and how fast, by district and organisation."""
