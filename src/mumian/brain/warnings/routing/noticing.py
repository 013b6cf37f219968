"""Noticing: warnings fall into groups as they come; a group that is due is told of, in one commit with what was told."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from mumian.brain.warnings import store as warnings
from mumian.brain.warnings.events import WarningChanged, WarningLifted, WarningNoticed
from mumian.brain.warnings.kinds import Receiver, WarningRouteSpec
from mumian.brain.warnings.routing import rules, store
from mumian.brain.warnings.routing.muting import Muted, labels_of, muting
from mumian.brain.warnings.routing.rules import Decision, Group, Member, Timing
from mumian.brain.warnings.routing.wording import worded
from mumian.brain.warnings.rules import LEVELS
from mumian.brain.warnings.settings import WarningsSettings
from mumian.foundation.channels.api import Channels, Message, Recipient, Urgency
from mumian.foundation.ledger.api import Fault, differences
from mumian.foundation.sensing.api import instant, microseconds
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import NotFound
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction

CONSUMER = "brain.warnings.routing"
_PAUSE = 1.0
_PAGE = 200
_SECOND = 1_000_000
Route = Declared[WarningRouteSpec]


class Routing:
    """The background job that tells people of warnings."""

    name = CONSUMER

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._busy = asyncio.Lock()
        self._loop = Loop(self.name, platform.clock, self.settle, self._pause)

    def subscribe(self) -> None:
        """Listen to what happens to warnings and to declarations."""
        self._platform.subscribe("brain.warnings.raised", CONSUMER, self.taken)
        self._platform.subscribe("brain.warnings.changed", CONSUMER, self.taken)
        self._platform.subscribe("brain.warnings.lifted", CONSUMER, self.taken)
        self._platform.subscribe("declarations.applied", CONSUMER, self.applied)
        self._platform.background(self)

    async def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the look under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Tell of every group that is due; True if any was looked at."""
        async with self._busy:
            now = iso(self._platform.clock.now())
            due = await self._platform.records.read(lambda session: store.due(session, now, _PAGE))
            if due:
                await self._platform.records.write(lambda tx: self._look(tx, due))
            return bool(due)

    def taken(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Let a warning that was raised, changed or lifted fall into its groups."""
        row: dict[str, Any] = {**event.data, "id": event.subject}
        self._enter(tx, row, lifted=event.type == WarningLifted.type, changed=event.type != WarningChanged.type)

    def applied(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Let active warnings fall into groups anew where routes have changed; groups of routes that are gone are forgotten."""
        if not any(change["kind"] == "WarningRoute" for change in event.data["changes"]):
            return
        routes, after = {route.name for route in self._routes()}, ""
        while page := store.groups(tx.session, after, _PAGE):
            for _, row in page:
                if row["route"] not in routes:
                    store.drop_group(tx.session, row["id"])
            after = page[-1][1]["id"]
        for row in warnings.active(tx.session):
            self._enter(tx, {**row, "title": msgspec.json.decode(row["title"])}, lifted=False, changed=False)

    def _enter(self, tx: Transaction, row: dict[str, Any], lifted: bool, changed: bool) -> None:
        """Let a warning fall into the groups of its labels; one that its level takes elsewhere leaves where it was."""
        series, labels, now = _series(row), labels_of(self._platform, row), microseconds(tx.now)
        here = self.groups_of(labels)
        elsewhere = set(store.grouped_in(tx.session, series)) - {id_ for id_, _, _ in here}
        entered: list[tuple[str, Route | None, dict[str, str]]] = [*here, *((id_, None, {}) for id_ in sorted(elsewhere))]
        for id_, route, group_labels in entered:
            present = store.member(tx.session, id_, series)
            if present is None and lifted:
                continue
            gone = lifted or route is None
            times = msgspec.json.decode(present["changes"], type=list[int]) if present else []
            window = _timing(route.spec).window if route else 3600 * _SECOND
            times = [time for time in times if time > now - window][-99:] + ([now] if changed else [])
            kept = {
                "series": series,
                "warning": row["id"],
                "labels": msgspec.json.encode(labels).decode(),
                "title": msgspec.json.encode(row["title"]).decode(),
                "level": LEVELS.index(row["level"]),
                "lifted": int(gone),
            }
            store.put_member(tx.session, id_, kept, times)
            known = store.group(tx.session, id_)
            state = known[0] if known else Group()
            if state.dirty_since is None:
                state = msgspec.structs.replace(state, dirty_since=now)
            name = known[1]["route"] if known else route.name if route else ""
            store.put_group(tx.session, id_, name, group_labels, state, tx.now_text)

    def _look(self, tx: Transaction, due: list[str]) -> None:
        """Decide about groups and do what is decided."""
        muted = muting(self._platform, tx.session, tx.now)
        routes = {route.name: route for route in self._routes()}
        for id_ in due:
            found = store.group(tx.session, id_)
            if found is None:
                continue
            group, row = found
            route = routes.get(row["route"])
            if route is None:
                store.drop_group(tx.session, id_)
                continue
            members = store.members(tx.session, id_)
            self._tell(tx, route, row, group, self._with_mutes(route, members, muted))

    def _tell(self, tx: Transaction, route: Route, row: Row, group: Group, members: list[tuple[Member, Row]]) -> None:
        now = microseconds(tx.now)
        decision = rules.decide(group, [member for member, _ in members], _timing(route.spec), now)
        if decision.kind is not None:
            self._notify(tx, route, row, decision, members, decision.kind, list(route.spec.to))
        for step in decision.steps:
            self._notify(tx, route, row, decision, members, "escalation", list(route.spec.escalation[step].to))
        store.tell(tx.session, row["id"], dict(decision.told))
        if decision.group == Group() and decision.look_at is None:
            store.drop_group(tx.session, row["id"])
            return
        look_at = None if decision.look_at is None else iso(instant(decision.look_at))
        store.put_group(tx.session, row["id"], route.name, row["labels"], decision.group, look_at)

    def _notify(
        self,
        tx: Transaction,
        route: Route,
        row: Row,
        decision: Decision,
        members: list[tuple[Member, Row]],
        kind: str,
        receivers: list[Receiver],
    ) -> None:
        """Send a notice to receivers, and keep that it was given."""
        about = decision.ended if kind == "resolved" else decision.standing
        told = sorted((m for m in members if m[0].series in about), key=lambda m: (-m[0].level, m[0].series))
        level = LEVELS[max((m.level for m, _ in told), default=0)]
        subject, body = worded(
            kind, route.title, level, [(LEVELS[m.level], r["title"], m.series in decision.news) for m, r in told]
        )
        notice = new_id()
        urgency: Urgency = "high" if level in ("orange", "red") and kind in ("first", "change", "escalation") else "normal"
        message = Message(notice, f"warnings/{row['id']}", subject, body, f"{WarningsSettings().cap_url}/", urgency)
        recipients = [Recipient(r.channel, r.person, r.role, r.organisation, r.address) for r in receivers]
        try:
            messages = self._platform.get(Channels).send(tx, message, recipients)
        except NotFound:
            messages = 0
        listed = [r["warning"] for _, r in told]
        kept = {
            "id": notice,
            "grouped": row["id"],
            "route": route.name,
            "time": tx.now_text,
            "kind": kind,
            "level": level,
            "warnings": listed[:1000],
            "messages": messages,
        }
        store.remember(tx.session, kept)
        tx.emit(
            WarningNoticed(
                subject=notice, group=row["id"], route=route.name, kind=kind, level=level, warnings=len(listed), messages=messages
            )
        )

    def _with_mutes(self, route: Route, members: list[tuple[Member, Row]], muted: Muted) -> list[tuple[Member, Row]]:
        return [(replace(m, muted=muted(route, row["labels"])), row) for m, row in members]

    def groups_of(self, labels: dict[str, str]) -> list[tuple[str, Route, dict[str, str]]]:
        """The groups that labels fall into, by the routes in force."""
        found: list[tuple[str, Route, dict[str, str]]] = []
        for route in self._routes():
            if rules.matches(route.spec.match.wanted(), labels):
                names = route.spec.group_by
                found.append((rules.group_key(route.name, names, labels), route, {name: labels[name] for name in names}))
                if not route.spec.goes_on:
                    break
        return found

    def _routes(self) -> list[Route]:
        return sorted(self._platform.declarations.all("WarningRoute"), key=lambda route: (route.spec.order, route.name))

    def _pause(self) -> float:
        return min(max(self._platform.clock.real_seconds(30.0), 0.1), _PAUSE)


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the notices kept and the events that told of them."""
    sql = "SELECT subject, payload FROM kernel_outbox WHERE type = :type ORDER BY id"
    told: dict[str, Row] = {}
    for event in session.rows(sql, type=WarningNoticed.type):
        data = msgspec.json.decode(event["payload"])
        told[event["subject"]] = {name: data[name] for name in ("route", "kind", "level", "messages")} | {
            "grouped": data["group"]
        }
    kept = ((row["id"], row) for row in store.all_notices(session))
    return differences("warnings_notice", told, ((id_, {k: v for k, v in row.items() if k != "id"}) for id_, row in kept))


def _timing(spec: WarningRouteSpec) -> Timing:
    return Timing(
        int(spec.wait_seconds * _SECOND),
        int(spec.interval_seconds * _SECOND),
        int(spec.repeat_hours * 3600 * _SECOND),
        tuple(int(step.after_minutes * 60 * _SECOND) for step in spec.escalation),
        spec.flap_changes,
        int(spec.flap_minutes * 60 * _SECOND),
    )


def _series(row: dict[str, Any]) -> str:
    return f"{row['rule']}|{row['key']}"
