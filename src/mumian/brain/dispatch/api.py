"""Dispatch for other components: `platform.get(Dispatch)` explains which organisation handles what, and why."""

from mumian.brain.dispatch.rules import Choice
from mumian.brain.dispatch.service import Dispatch

__all__ = ["Choice", "Dispatch"]
