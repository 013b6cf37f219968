"""Contracts of incidents: the state of one incident as it is kept, digested and handed over."""

from typing import Any

import msgspec

Text = dict[str, str]


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident 事件 at one version.

    Times are ISO 8601 UTC text as `kernel.clock.iso` writes them. `missed` lists the stages whose deadline passed and was
    supervised, `next_due` is the earliest deadline still pending. `evidence` holds the warning, vital, value, threshold,
    observations and ledger indices that prove it. `attended` is the actor who took it.
    """

    number: str
    type: str
    title: Text
    description: str
    severity: str
    state: str
    longitude: float | None
    latitude: float | None
    district: str | None
    label: Text
    organisation: str | None
    assignee: str | None
    opened_at: str
    opened_by: str
    due_accept: str | None = None
    due_resolve: str | None = None
    due_verify: str | None = None
    next_due: str | None = None
    missed: str = ""
    supervised: int = 0
    dispatched_at: str | None = None
    taken_at: str | None = None
    resolved_at: str | None = None
    verified_at: str | None = None
    closed_at: str | None = None
    warning: str | None = None
    subject: str | None = None
    evidence: dict[str, Any] = {}
    version: int = 1
