"""Dispatch 分拨: which organisation handles an incident by when, and supervision 督办 of what is overdue."""
