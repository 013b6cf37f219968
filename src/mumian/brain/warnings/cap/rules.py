"""Rules of CAP 1.2: writing a message, reading one and saying what is wrong with it. Source: OASIS CAP 1.2, section 3.2."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

from mumian.brain.warnings.cap.contracts import Alert, Area, Info, Pair
from mumian.kernel.errors import Fault

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
STATUS = ("Actual", "Exercise", "System", "Test", "Draft")
MESSAGE_TYPES = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPES = ("Public", "Restricted", "Private")
CATEGORIES = ("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other")
URGENCIES = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")
SEVERITY_OF = {"red": "Extreme", "orange": "Severe", "yellow": "Moderate", "blue": "Minor"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_NO_SPACE = re.compile(r"[^\s,<&]{1,300}")
_POINT = r"[+-]?\d{1,2}(?:\.\d+)?,[+-]?\d{1,3}(?:\.\d+)?"
_POLYGON = re.compile(rf"{_POINT}(?:\s+{_POINT}){{3,20000}}")
_CIRCLE = re.compile(rf"{_POINT}\s+\d+(?:\.\d+)?")
_CONTROLS = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def written(alert: Alert) -> bytes:
    """The message as XML in UTF-8, its elements in the order of the standard."""
    root = ET.Element("alert", xmlns=NAMESPACE)
    for name, value in (
        ("identifier", alert.identifier),
        ("sender", alert.sender),
        ("sent", alert.sent),
        ("status", alert.status),
        ("msgType", alert.message_type),
        ("source", alert.source),
        ("scope", alert.scope),
        ("restriction", alert.restriction),
        ("addresses", alert.addresses),
        ("note", alert.note),
        ("references", " ".join(alert.references)),
        ("incidents", " ".join(f'"{each}"' if " " in each else each for each in alert.incidents)),
    ):
        _add(root, name, value)
    for info in alert.infos:
        _write_info(ET.SubElement(root, "info"), info)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def read(root: ET.Element) -> Alert:
    """A message from its parsed XML, as it stands: `faults` says what is wrong with it."""
    return Alert(
        identifier=_text(root, "identifier"),
        sender=_text(root, "sender"),
        sent=_text(root, "sent"),
        status=_text(root, "status"),
        message_type=_text(root, "msgType"),
        scope=_text(root, "scope"),
        references=tuple(_text(root, "references").split()),
        incidents=tuple(_text(root, "incidents").split()),
        note=_text(root, "note"),
        source=_text(root, "source"),
        restriction=_text(root, "restriction"),
        addresses=_text(root, "addresses"),
        infos=tuple(_read_info(each) for each in root.findall(f"{{{NAMESPACE}}}info")),
    )


def faults(alert: Alert) -> Iterator[Fault]:
    """Everything in which a message breaks the standard, by the names of its elements."""
    for name, value in (("identifier", alert.identifier), ("sender", alert.sender)):
        if not _NO_SPACE.fullmatch(value):
            yield Fault(name, "warnings.cap.name", {})
    yield from _time_fault("sent", alert.sent)
    yield from _choice("status", alert.status, STATUS)
    yield from _choice("msgType", alert.message_type, MESSAGE_TYPES)
    yield from _choice("scope", alert.scope, SCOPES)
    if alert.message_type in ("Update", "Cancel", "Ack", "Error") and not alert.references:
        yield Fault("references", "warnings.cap.references", {"type": alert.message_type})
    for index, reference in enumerate(alert.references):
        parts = reference.split(",")
        if len(parts) != 3 or not all(parts) or not _TIME.fullmatch(parts[2]):
            yield Fault(f"references[{index}]", "warnings.cap.reference", {})
    if alert.scope == "Restricted" and not alert.restriction:
        yield Fault("restriction", "field.missing", {})
    if alert.scope == "Private" and not alert.addresses:
        yield Fault("addresses", "field.missing", {})
    for index, info in enumerate(alert.infos):
        yield from _info_faults(f"info[{index}]", info)


def categories_of(theme: str) -> tuple[str, ...]:
    """The CAP categories of a vital sign's theme."""
    known = {
        "environment": "Env",
        "air": "Env",
        "weather": "Met",
        "drainage": "Met",
        "traffic": "Transport",
        "transport": "Transport",
        "health": "Health",
        "fire": "Fire",
        "safety": "Safety",
        "infrastructure": "Infra",
        "energy": "Infra",
    }
    return (known.get(theme, "Other"),)


def _write_info(at: ET.Element, info: Info) -> None:
    _add(at, "language", info.language)
    for category in info.categories:
        _add(at, "category", category)
    for name, value in (
        ("event", info.event),
        ("urgency", info.urgency),
        ("severity", info.severity),
        ("certainty", info.certainty),
    ):
        _add(at, name, value)
    _pairs(at, "eventCode", info.event_codes)
    for name, optional in (
        ("effective", info.effective),
        ("onset", info.onset),
        ("expires", info.expires),
        ("senderName", info.sender_name),
        ("headline", info.headline),
        ("description", info.description),
        ("instruction", info.instruction),
        ("web", info.web),
    ):
        _add(at, name, optional or "")
    _pairs(at, "parameter", info.parameters)
    for area in info.areas:
        place = ET.SubElement(at, "area")
        _add(place, "areaDesc", area.description)
        for polygon in area.polygons:
            _add(place, "polygon", polygon)
        for circle in area.circles:
            _add(place, "circle", circle)
        _pairs(place, "geocode", area.geocodes)


def _add(at: ET.Element, name: str, value: str) -> None:
    if value:
        ET.SubElement(at, name).text = _CONTROLS.sub("\ufffd", value)


def _pairs(at: ET.Element, name: str, pairs: Sequence[Pair]) -> None:
    for key, value in pairs:
        pair = ET.SubElement(at, name)
        ET.SubElement(pair, "valueName").text = _CONTROLS.sub("\ufffd", key)
        ET.SubElement(pair, "value").text = _CONTROLS.sub("\ufffd", value)


def _read_info(at: ET.Element) -> Info:
    return Info(
        language=_text(at, "language") or "en-US",
        categories=tuple(_texts(at, "category")),
        event=_text(at, "event"),
        urgency=_text(at, "urgency"),
        severity=_text(at, "severity"),
        certainty=_text(at, "certainty"),
        onset=_text(at, "onset") or None,
        effective=_text(at, "effective") or None,
        expires=_text(at, "expires") or None,
        sender_name=_text(at, "senderName"),
        headline=_text(at, "headline"),
        description=_text(at, "description"),
        instruction=_text(at, "instruction"),
        web=_text(at, "web"),
        event_codes=_read_pairs(at, "eventCode"),
        parameters=_read_pairs(at, "parameter"),
        areas=tuple(
            Area(
                _text(area, "areaDesc"),
                tuple(_texts(area, "polygon")),
                tuple(_texts(area, "circle")),
                _read_pairs(area, "geocode"),
            )
            for area in at.findall(f"{{{NAMESPACE}}}area")
        ),
    )


def _text(at: ET.Element, name: str) -> str:
    return next(iter(_texts(at, name)), "")


def _texts(at: ET.Element, name: str) -> list[str]:
    return [(each.text or "").strip() for each in at.findall(f"{{{NAMESPACE}}}{name}")]


def _read_pairs(at: ET.Element, name: str) -> tuple[Pair, ...]:
    return tuple((_text(pair, "valueName"), _text(pair, "value")) for pair in at.findall(f"{{{NAMESPACE}}}{name}"))


def _info_faults(path: str, info: Info) -> Iterator[Fault]:
    if not info.categories:
        yield Fault(f"{path}.category", "field.missing", {})
    for category in info.categories:
        yield from _choice(f"{path}.category", category, CATEGORIES)
    if not info.event:
        yield Fault(f"{path}.event", "field.missing", {})
    yield from _choice(f"{path}.urgency", info.urgency, URGENCIES)
    yield from _choice(f"{path}.severity", info.severity, SEVERITIES)
    yield from _choice(f"{path}.certainty", info.certainty, CERTAINTIES)
    for name, value in (("effective", info.effective), ("onset", info.onset), ("expires", info.expires)):
        if value is not None:
            yield from _time_fault(f"{path}.{name}", value)
    for index, area in enumerate(info.areas):
        yield from _area_faults(f"{path}.area[{index}]", area)


def _area_faults(path: str, area: Area) -> Iterator[Fault]:
    if not area.description:
        yield Fault(f"{path}.areaDesc", "field.missing", {})
    for polygon in area.polygons:
        points = polygon.split()
        if not _POLYGON.fullmatch(polygon) or points[0] != points[-1]:
            yield Fault(f"{path}.polygon", "warnings.cap.polygon", {})
    for circle in area.circles:
        if not _CIRCLE.fullmatch(circle):
            yield Fault(f"{path}.circle", "warnings.cap.circle", {})


def _choice(field: str, value: str, options: Sequence[str]) -> Iterator[Fault]:
    if value not in options:
        yield Fault(field, "field.choice", {"expected": ", ".join(options)})


def _time_fault(field: str, value: str) -> Iterator[Fault]:
    if not _TIME.fullmatch(value):
        yield Fault(field, "warnings.cap.time", {})
