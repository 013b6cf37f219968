"""Understanding for other components: `platform.get(Understanding)` reads texts, keeps corrections and learns from them."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

from mumian.brain.incidents.api import Incidents
from mumian.brain.understanding import store
from mumian.brain.understanding.contracts import Correction, HotIssue, Report, Understood
from mumian.brain.understanding.events import CorrectionKept
from mumian.brain.understanding.service.pending import Pending
from mumian.brain.understanding.service.reading import Reading
from mumian.brain.understanding.service.sameness import Sameness
from mumian.brain.understanding.settings import UnderstandingSettings
from mumian.foundation.models.api import Labelled, Models, Version
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Session, Transaction

__all__ = ["Correction", "Report", "Understanding", "Understood"]

_MOST = 200_000


class Understanding:
    """What reports say 文本理解; methods that end in `_now` block."""

    def __init__(self, platform: Platform, settings: UnderstandingSettings | None = None) -> None:
        self.settings = settings or UnderstandingSettings()
        self._platform = platform
        self._sameness = Sameness(self.settings)
        self._reading = Reading(platform, self._sameness, self.settings)
        self.pending = Pending(platform, self._reading)
        self._training = asyncio.Lock()

    def understand(self, session: Session, title: str, text: str, report: Report) -> Understood:
        """Category with calibrated confidence and reasons, places, times, urgency, emotion, and incidents of the same event."""
        return self._reading.understand(session, title, text, report)

    def hot(self, session: Session, until: datetime, days: float, limit: int = 20) -> list[HotIssue]:
        """The hot issues 热点问题 of the days before `until`, the hottest first."""
        return self._sameness.hot(session, until, days, limit)

    def suggestion(self, session: Session, incident: str) -> dict[str, Any] | None:
        """What was read from an incident's text when it was opened; None where nothing was."""
        return store.told(session, incident)

    def correct(self, tx: Transaction, title: str, text: str, said: str, label: str, incident: str = "") -> Correction:
        """Keep what a person says the category is; the next training learns from it."""
        made = Correction(
            id=new_id(),
            model=self.settings.category_model,
            title=title,
            text=text,
            said=said,
            label=label,
            incident=incident,
            time=tx.now_text,
            by=tx.actor.id,
        )
        store.correct(tx.session, made)
        digest = sha256(f"{title}\n{text}".encode("utf-8", "replace")).hexdigest()
        tx.emit(CorrectionKept(subject=made.id, model=made.model, said=said, label=label, incident=incident, sha256=digest))
        return made

    async def retrain(self, actor: Actor) -> Version:
        """A new draft of the category model that learned from corrections; one at a time, off the event loop."""
        async with self._training:
            return await asyncio.to_thread(self.retrain_now, actor)

    def retrain_now(self, actor: Actor, tell: Callable[[str], None] = lambda line: None) -> Version:
        """`retrain` for synchronous callers; the last correction of a text counts. Raises NotFound, NotLearnable."""
        name = self.settings.category_model
        found: dict[tuple[str, str], Labelled] = {}
        for each in self._platform.records.read_now(lambda session: store.corrections(session, name, "", _MOST)):
            found[each.title, each.text] = Labelled(each.incident or each.id, (each.title, each.text), each.label)
        return self._platform.get(Models).retrain_now(name, list(found.values()), tell, actor)

    def opened(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Note that the text of an incident that a person reported is to be read; the incident itself stays as it is."""
        incident = self._platform.get(Incidents).find(tx.session, event.subject)
        if incident.warning is not None or not incident.description.strip():
            return
        title = incident.title.get("zh") or incident.title.get("en") or ""
        store.keep_text(
            tx.session,
            {
                "incident": incident.number,
                "time": incident.opened_at,
                "longitude": incident.longitude,
                "latitude": incident.latitude,
                "title": title,
                "text": incident.description,
                "person": incident.opened_by,
            },
        )
