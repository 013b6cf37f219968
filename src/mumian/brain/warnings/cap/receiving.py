"""Receiving: a CAP message of another authority is read, checked against the standard, kept once, and told of."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from hashlib import sha256
from typing import cast

from mumian.brain.warnings.cap import rules, store
from mumian.brain.warnings.cap.contracts import Alert
from mumian.brain.warnings.events import AlertReceived
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.errors import Conflict, Invalid, Malformed
from mumian.kernel.unit_of_work import Row, Transaction

_DEEPEST = 12


class Differs(Conflict):
    """The same message came in before with other content; values: `identifier`."""

    key = "warnings.cap.differs"


def parse(content: bytes) -> Alert:
    """A checked message; entities and document types are refused, so that nothing expands or is fetched.

    Raises Malformed for what is no XML or no CAP 1.2, Invalid with every fault.
    """
    root = _root(content)
    if root.tag != f"{{{rules.NAMESPACE}}}alert":
        raise Malformed(reason=f"the root is {root.tag[:200]!r} and not a CAP 1.2 alert")
    alert = rules.read(root)
    found = list(rules.faults(alert))
    if found:
        raise Invalid(*found)
    for path, value in _times(alert):
        try:
            parse_iso(value)
        except ValueError as error:
            raise Invalid.field(path, "warnings.cap.time") from error
    return alert


def receive(tx: Transaction, alert: Alert, content: bytes) -> tuple[Row, bool]:
    """Keep a message, and whether it is new; it replaces those that it updates or cancels. Raises Differs."""
    digest = sha256(content).hexdigest()
    known = store.received(tx.session, alert.reference)
    if known is not None:
        if known["digest"] != digest:
            raise Differs(identifier=alert.identifier)
        return known, False
    info = alert.infos[0] if alert.infos else None
    expires = [iso(parse_iso(each.expires)) for each in alert.infos if each.expires]
    row: Row = {
        "reference": alert.reference,
        "identifier": alert.identifier,
        "sender": alert.sender,
        "status": alert.status,
        "message_type": alert.message_type,
        "event": info.event if info else "",
        "severity": info.severity if info else "Unknown",
        "headline": info.headline if info else "",
        "area": "; ".join(area.description for area in info.areas) if info else "",
        "expires": max(expires) if expires and len(expires) == len(alert.infos) else None,
        "received": tx.now_text,
        "replaced_by": None,
        "digest": digest,
        "content": content.decode(),
    }
    store.receive(tx.session, row)
    if alert.message_type in ("Update", "Cancel"):
        for reference in alert.references:
            earlier = store.received(tx.session, reference)
            if earlier is not None and earlier["sender"] == alert.sender:
                store.replace(tx.session, reference, alert.reference)
    told = ("sender", "status", "message_type", "event", "severity", "headline", "area", "digest")
    tx.emit(AlertReceived(subject=alert.identifier, **{name: row[name] for name in told}))
    return row, True


def _root(content: bytes) -> ET.Element:
    parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(["start", "end"])
    depth = 0
    try:
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise Malformed(reason="a document type is not taken")
        content.decode()
        parser.feed(content)
        parser.close()
        root: ET.Element | None = None
        for event, element in cast(Iterator[tuple[str, ET.Element]], parser.read_events()):
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            if depth > _DEEPEST:
                raise Malformed(reason="the elements lie too deep in each other")
    except (ET.ParseError, UnicodeDecodeError, ValueError) as error:
        raise Malformed(reason=str(error)[:200]) from error
    if root is None:
        raise Malformed(reason="there is no element")
    return root


def _times(alert: Alert) -> list[tuple[str, str]]:
    found = [("sent", alert.sent)]
    for index, info in enumerate(alert.infos):
        named = (("effective", info.effective), ("onset", info.onset), ("expires", info.expires))
        found += [(f"info[{index}].{name}", value) for name, value in named if value]
    return found
