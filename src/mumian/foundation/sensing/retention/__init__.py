"""Retention of observations by declaration: hourly and daily aggregates stay when single observations are removed, provably."""
