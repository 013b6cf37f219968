"""Looking at the ledger: live states, what is due for renewal, and the topology of networks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mumian.foundation.infrastructure import store
from mumian.foundation.infrastructure.contracts import Facility
from mumian.foundation.infrastructure.rules import facility as rules
from mumian.foundation.infrastructure.rules.topology import Topology, looked_at, missing_planes
from mumian.foundation.infrastructure.service.keeping import Keeping
from mumian.foundation.sensing.api import Sensing, instant
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row

_STANDING = ("in_use", "renewing")
Live = dict[str, Any]


class Looking:
    """Reads the ledger and what streams say of it; blocks: not on the event loop."""

    def __init__(self, platform: Platform, keeping: Keeping) -> None:
        self._platform = platform
        self._keeping = keeping

    def live(self, facilities: Sequence[Facility], now: datetime) -> dict[str, Live]:
        """The live state of those facilities that have one: status, title, since when, where from; `unknown` once it is stale."""
        kinds = self._keeping.kinds()
        wanted = [f for f in facilities if f.kind in kinds and kinds[f.kind].live is not None and f.state != "retired"]
        codes = [f.code for f in wanted]
        reported: dict[str, Row] = {}
        for start in range(0, len(codes), 400):
            some = codes[start : start + 400]
            reported |= self._platform.records.read_now(lambda session, some=some: store.statuses(session, some))  # type: ignore[misc]
        found: dict[str, Live] = {}
        for facility in wanted:
            live = kinds[facility.kind].live
            assert live is not None
            told = self._streamed(facility, live) or _reported(reported.get(facility.code))
            age = (now - parse_iso(told["time"])).total_seconds() if told else None
            if told is None or age is None or age > live.fresh_seconds:
                found[facility.code] = {
                    "status": "unknown",
                    "title": {"zh": "未知", "en": "Unknown"},
                    "time": told and told["time"],
                }
            else:
                found[facility.code] = {**told, "title": live.states[told["status"]]} if told["status"] in live.states else {}
        return {code: each for code, each in found.items() if each}

    def _streamed(self, facility: Facility, live: Any) -> Live | None:
        name = facility.streams.get(live.stream) if live.stream else None
        if name is None:
            return None
        sensing = self._platform.get(Sensing)
        try:
            newest = sensing.latest([sensing.stream(name).id])
        except NotFound:
            return None
        if not len(newest):
            return None
        status = next((key for key, result in live.results.items() if result == newest.results[0]), None)
        time = iso(instant(int(newest.times[0])))
        return None if status is None else {"status": status, "time": time, "from": "stream"}

    def renewals(self, kinds: Sequence[str], today: str) -> list[dict[str, Any]]:
        """Facilities in use that are due for renewal, those with most reasons first, each with its reasons and figures."""
        declared = self._keeping.kinds()
        found = []
        for facility in self._platform.records.read_now(lambda session: store.every(session, kinds)):
            reasons = rules.renewal(facility, declared[facility.kind], today) if facility.kind in declared else []
            if reasons:
                told = [{"field": r.field, "value": v, "above": r.above, "below": r.below, "title": r.title} for r, v in reasons]
                found.append({"facility": facility, "reasons": told})
        return sorted(found, key=lambda each: (-len(each["reasons"]), each["facility"].code))

    def topology(self, kinds: Sequence[str], plane: str | None) -> tuple[Topology, dict[str, list[str]], list[str]]:
        """The network of standing nodes and links of these kinds, nodes that lack a plane, and the planes there are."""
        standing = [f for f in self._platform.records.read_now(lambda s: store.every(s, kinds)) if f.state in _STANDING]
        links = [f for f in standing if len(f.ends) == 2]
        joined = {end for link in links for end in link.ends}
        nodes = [f.code for f in standing if not f.ends]
        others = sorted(joined - set(nodes))
        known: dict[str, Facility] = {}
        for start in range(0, len(others), 400):
            some = others[start : start + 400]
            known |= self._platform.records.read_now(lambda s, some=some: store.find_many(s, some))  # type: ignore[misc]
        nodes += [code for code, f in known.items() if f.state in _STANDING]
        planes = sorted({link.plane for link in links if link.plane})
        chosen = [link for link in links if plane is None or link.plane == plane]
        triples = [(link.code, link.ends[0], link.ends[1]) for link in chosen]
        quads = [(link.code, link.ends[0], link.ends[1], link.plane) for link in links]
        return looked_at(nodes, triples), missing_planes(nodes, quads, planes), planes


def _reported(row: Row | None) -> Live | None:
    return None if row is None else {"status": row["status"], "since": row["since"], "time": row["reported"], "from": "report"}
