"""The kinds of routing: WarningRoute says who is told, WarningInhibition what makes what needless, MaintenanceWindow when not."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Spec
from mumian.kernel.errors import Fault

_PERSONAL = ("inbox", "email", "sms")
Level = Literal["blue", "yellow", "orange", "red"]
Label = Literal["rule", "vital", "theme", "level", "dimension", "key", "district"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Match(Spec):
    """Which warnings: every list that is given must hold the warning's own value; an empty one asks nothing."""

    rules: list[str] = Field(default=[])
    vitals: list[str] = Field(default=[])
    themes: list[str] = Field(default=[])
    levels: list[Level] = Field(default=[])
    dimensions: list[Literal["city", "station"]] = Field(default=[])
    keys: list[str] = Field(default=[])
    districts: list[str] = Field(default=[])

    def wanted(self) -> dict[str, list[str]]:
        """By name of label, the values that are wanted."""
        return {
            "rule": self.rules,
            "vital": self.vitals,
            "theme": self.themes,
            "level": [*self.levels],
            "dimension": [*self.dimensions],
            "key": self.keys,
            "district": self.districts,
        }


class Receiver(Spec):
    """Whom to tell by a declared Channel: a person, all of a role (in an organisation), an address, or the channel's own end."""

    channel: str
    person: str | None = None
    role: str | None = None
    organisation: str | None = None
    address: str | None = Field(None, max_length=320)


class Window(Spec):
    """A weekly window in the city's time; without days every day. One that ends before it begins runs past midnight."""

    days: list[Day] = Field(default=[])
    start: str = Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(alias="to", pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.start == self.end:
            raise ValueError("`from` and `to` must differ; the whole day is written 00:00 to 24:00")
        return self

    def hours(self) -> tuple[list[Day], time, time]:
        """Days, from and to; 24:00 is the last instant of the day."""
        return self.days, time.fromisoformat(self.start), time.max if self.end == "24:00" else time.fromisoformat(self.end)


class Escalation(Spec):
    """Whom to tell besides when nobody acknowledged for so long."""

    after_minutes: float = Field(gt=0, le=527040)
    to: list[Receiver] = Field(min_length=1, max_length=50)


class WarningRouteSpec(Spec):
    """Who is told of which warnings.

    Routes are asked by `order`; the first that matches takes a warning, unless it says `goes_on`. Warnings of equal labels
    `group_by` are told of together: first after `wait_seconds`, then what changes every `interval_seconds`, again every
    `repeat_hours` until somebody acknowledges. What is worse than all before waits for `wait_seconds` alone. Of a warning that
    changes more than `flap_changes` times within `flap_minutes` nobody is told again until it keeps still. In `quiet` windows
    nobody is told, but of the `loud` levels.
    """

    order: int = 100
    match: Match = Match()
    group_by: list[Label] = Field(default=["rule"])
    wait_seconds: float = Field(30, ge=0, le=86400)
    interval_seconds: float = Field(300, ge=1, le=86400)
    repeat_hours: float = Field(4, ge=0.1, le=720)
    flap_changes: int = Field(6, ge=2, le=1000)
    flap_minutes: float = Field(60, gt=0, le=1440)
    to: list[Receiver] = Field(min_length=1, max_length=50)
    escalation: list[Escalation] = Field(default=[], max_length=10)
    quiet: list[Window] = Field(default=[], max_length=20)
    loud: list[Level] = Field(default=["red"])
    goes_on: bool = False

    @model_validator(mode="after")
    def _growing(self) -> Self:
        after = [step.after_minutes for step in self.escalation]
        if after != sorted(set(after)):
            raise ValueError("the steps of `escalation` must come one after the other: `after_minutes` must grow")
        return self


class WarningInhibitionSpec(Spec):
    """While a warning of `source` stands, those of `target` with the same `equal` labels say nothing new and are not told of."""

    source: Match
    target: Match
    equal: list[Label] = Field(default=[])

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        for name, match in (("source", self.source), ("target", self.target)):
            if not any(match.wanted().values()):
                raise ValueError(f"`{name}` must ask for something, or everything would be inhibited")
        return self


class MaintenanceWindowSpec(Spec):
    """When nobody is told of these warnings: every week (`weekly`), or from one instant to another (`once`)."""

    match: Match
    weekly: list[Window] = Field(default=[], max_length=50)
    once: list[tuple[datetime, datetime]] = Field(default=[], max_length=200)
    reason: str = Field(min_length=1, max_length=500)

    @field_validator("once")
    @classmethod
    def _ordered(cls, once: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
        for start, end in once:
            if start.tzinfo is None or end.tzinfo is None:
                raise ValueError("write instants with their offset from UTC, like 2026-05-01T00:00:00+08:00")
            if end <= start:
                raise ValueError("an interval must end after it begins")
        return once

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.weekly and not self.once:
            raise ValueError("give `weekly` or `once` windows")
        return self


def check_match(document: Document, match: Match, path: str, catalogue: Catalogue) -> Iterable[Fault]:
    """Faults of names that nothing is declared under."""
    for field, kind, names in (("rules", "Warning", match.rules), ("vitals", "Vital", match.vitals)):
        for index, name in enumerate(names):
            if not catalogue.has(kind, name):
                yield document.fault(f"{path}.{field}[{index}]", "field.reference", kind=kind, name=name)


def check_route(document: Document, spec: WarningRouteSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Faults that only show beside other declarations: unknown rules, channels, organisations, and receivers without anybody."""
    yield from check_match(document, spec.match, "spec.match", catalogue)
    several = [("spec.to", spec.to)] + [(f"spec.escalation[{i}].to", step.to) for i, step in enumerate(spec.escalation)]
    for path, receivers in several:
        for index, receiver in enumerate(receivers):
            yield from _check_receiver(document, receiver, f"{path}[{index}]", catalogue)


def _check_receiver(document: Document, receiver: Receiver, path: str, catalogue: Catalogue) -> Iterable[Fault]:
    channel = catalogue.get("Channel", receiver.channel)
    if channel is None:
        yield document.fault(f"{path}.channel", "field.reference", kind="Channel", name=receiver.channel)
    elif channel.spec.way in _PERSONAL and not (receiver.person or receiver.role or receiver.address):
        yield document.fault(path, "channels.no_recipient", channel=receiver.channel)
    if receiver.organisation is not None and not catalogue.has("Organisation", receiver.organisation):
        yield document.fault(f"{path}.organisation", "field.reference", kind="Organisation", name=receiver.organisation)


def check_inhibition(document: Document, spec: WarningInhibitionSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Faults of names that nothing is declared under."""
    yield from check_match(document, spec.source, "spec.source", catalogue)
    yield from check_match(document, spec.target, "spec.target", catalogue)


def check_window(document: Document, spec: MaintenanceWindowSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Faults of names that nothing is declared under."""
    yield from check_match(document, spec.match, "spec.match", catalogue)
