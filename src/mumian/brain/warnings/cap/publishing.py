"""Publishing: every change of a warning is a CAP message that refers to those before it, kept as it went out."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

import msgspec

from mumian.brain.warnings.cap import rules, store
from mumian.brain.warnings.cap.contracts import Alert, Area, Info
from mumian.brain.warnings.events import AlertReceived, WarningLifted, WarningPublished
from mumian.brain.warnings.settings import WarningsSettings
from mumian.foundation.ledger.api import Fault, differences
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.clock import parse_iso
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.i18n import text
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction

CONSUMER = "brain.warnings.cap"
_LANGUAGES = {"zh": "zh-CN", "en": "en"}


class Publishing:
    """Writes a message for each event of a warning."""

    def __init__(self, platform: Platform, settings: WarningsSettings) -> None:
        self._platform = platform
        self._settings = settings

    def subscribe(self) -> None:
        """Listen to warnings."""
        for type_ in ("raised", "changed", "lifted"):
            self._platform.subscribe(f"brain.warnings.{type_}", CONSUMER, self.publish)

    def publish(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Keep the message about what happened to a warning."""
        before = store.published(tx.session, event.subject)
        number = len(before) + 1
        lifted = event.type == WarningLifted.type
        alert = Alert(
            identifier=f"{event.subject}-{number}",
            sender=self._settings.cap_sender,
            sent=self._local(event.time),
            status=self._settings.cap_status,
            message_type="Cancel" if lifted else "Update" if before else "Alert",
            scope="Public",
            references=tuple(row["reference"] for row in before),
            infos=tuple(self._info(event, language) for language in _LANGUAGES),
        )
        row = {
            "identifier": alert.identifier,
            "warning": event.subject,
            "number": number,
            "reference": alert.reference,
            "message_type": alert.message_type,
            "sent": alert.sent,
            "headline": alert.infos[0].headline,
            "content": rules.written(alert).decode(),
        }
        store.insert(tx.session, row)
        told = {"warning": event.subject, "message_type": alert.message_type, "digest": _digest(row)}
        tx.emit(WarningPublished(subject=alert.identifier, **told))

    def _info(self, event: DeliveredEvent, language: str) -> Info:
        data, declarations = event.data, self._platform.declarations
        rule = next((d for d in declarations.all("Warning") if d.name == data["rule"]), None)
        vital = next((d for d in declarations.all("Vital") if d.name == data["vital"]), None)
        city = self._platform.get(Spatial).city()
        onset = self._local(parse_iso(data["time"]))
        name = rule.title[language] if rule else data["rule"]
        return Info(
            language=_LANGUAGES[language],
            categories=rules.categories_of(vital.spec.theme if vital else ""),
            event=name,
            urgency="Past" if event.type == WarningLifted.type else "Immediate",
            severity=rules.SEVERITY_OF[data["level"]],
            certainty="Observed",
            onset=onset,
            effective=onset,
            sender_name=city.title[language] if city else "",
            headline=f"{data['label'][language]} {name} · {text('warnings.level.' + data['level'], language)}",
            description=data["title"][language],
            web=f"{self._settings.cap_url}/" if self._settings.cap_url else "",
            event_codes=(("mumian:warning", data["rule"]),),
            parameters=self._parameters(event),
            areas=(self._area(event, language),),
        )

    @staticmethod
    def _parameters(event: DeliveredEvent) -> tuple[tuple[str, str], ...]:
        data = event.data
        known = {"colour": data["level"], "reason": data["reason"], "value": data["value"], "threshold": data["threshold"]}
        return tuple((f"mumian:{name}", str(value)) for name, value in known.items() if value is not None)

    def _area(self, event: DeliveredEvent, language: str) -> Area:
        data, spatial = event.data, self._platform.get(Spatial)
        longitude, latitude = data["longitude"], data["latitude"]
        if data["dimension"] == "city" or longitude is None or latitude is None:
            city = spatial.city()
            codes = (("GB/T 2260", city.code),) if city and city.code else ()
            return Area(data["label"][language], geocodes=codes)
        district = spatial.district_at(longitude, latitude)
        return Area(
            data["label"][language],
            circles=(f"{latitude:.5f},{longitude:.5f} 0",),
            geocodes=(("GB/T 2260", district.code),) if district else (),
        )

    def _local(self, moment: datetime) -> str:
        city = self._platform.get(Spatial).city()
        return moment.astimezone(ZoneInfo(city.timezone if city else "UTC")).isoformat(timespec="seconds")


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the messages kept, those that went out and those that came in, and their events."""
    sql = "SELECT type, subject, payload FROM kernel_outbox WHERE type IN (:out, :in_) ORDER BY id"
    told: dict[str, dict[str, Row]] = {WarningPublished.type: {}, AlertReceived.type: {}}
    for event in session.rows(sql, out=WarningPublished.type, in_=AlertReceived.type):
        data = msgspec.json.decode(event["payload"])
        key = event["subject"] if event["type"] == WarningPublished.type else f"{data['sender']},{event['subject']}"
        told[event["type"]][key] = {"digest": data["digest"], "message_type": data["message_type"]}
    out = ((row["identifier"], _shown(row)) for row in store.everything(session, "warnings_cap"))
    came = ((f"{row['sender']},{row['identifier']}", _shown(row)) for row in store.everything(session, "warnings_received"))
    yield from differences("warnings_cap", told[WarningPublished.type], out)
    yield from differences("warnings_received", told[AlertReceived.type], came)


def _shown(row: Row) -> Row:
    return {"digest": _digest(row), "message_type": row["message_type"]}


def _digest(row: Row) -> str:
    return sha256(row["content"].encode()).hexdigest()
