"""Rules of credit facts: their state on a day, when a repair may be granted, and their digest."""

from collections.abc import Mapping
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from mumian.kernel.unit_of_work import encode

CONTENT = ("id", "kind", "subject", "subject_name", "organisation", "document", "content", "decided_on", "expires_on")


def state_on(status: str, expires_on: str, day: str) -> str:
    """active, expired, repaired or withdrawn; `expires_on` is the first day on which it is not shown any more (ISO)."""
    return "expired" if status == "active" and day >= expires_on else status


def expires(decided_on: date, most_days: int) -> date:
    """The first day on which a fact is not shown any more."""
    return decided_on + timedelta(days=most_days)


def repairable_from(decided_on: str, least_days: int) -> str:
    """The first day on which a repair may be granted."""
    return (date.fromisoformat(decided_on) + timedelta(days=least_days)).isoformat()


def digest(row: Mapping[str, Any]) -> str:
    """The SHA-256, in hexadecimal, of what a fact says, as canonical JSON."""
    return sha256(encode({name: row[name] for name in CONTENT})).hexdigest()
