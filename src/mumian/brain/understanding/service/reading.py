"""Reading: one text after another through models, words, addresses and what was reported lately."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from mumian.brain.understanding.contracts import Place, Report, Understood
from mumian.brain.understanding.rules.places import stretches
from mumian.brain.understanding.rules.same import deepest
from mumian.brain.understanding.rules.times import moments
from mumian.brain.understanding.rules.tone import Tone, emotion, urgency
from mumian.brain.understanding.service.sameness import Sameness
from mumian.brain.understanding.settings import UnderstandingSettings
from mumian.foundation.addresses.api import Addresses
from mumian.foundation.models.api import Models, TextModel, Version
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_LONGEST_ADDRESS = 100
_CANDIDATES = 5
Found = tuple[Version, TextModel] | None


class Reading:
    """Reads texts; blocks: not on the event loop."""

    def __init__(self, platform: Platform, sameness: Sameness, settings: UnderstandingSettings) -> None:
        self._platform = platform
        self._sameness = sameness
        self.settings = settings

    def understand(self, session: Session, title: str, text: str, report: Report) -> Understood:
        """All that a text says; `report` tells when and where it was written, and which incident it is if it is one."""
        whole = f"{title}\n{text}".strip()
        local = report.time.astimezone(ZoneInfo(self._zone()))
        places = self.places(session, whole, local)
        point = next((place for place in places if place.longitude is not None), None)
        if report.longitude is None and point is not None:
            report = msgspec.structs.replace(report, longitude=point.longitude, latitude=point.latitude)
        return Understood(
            category=self.category(session, (title, text)),
            places=places,
            times=moments(whole, local),
            urgency=self._tone(session, self.settings.urgency_model, (title, text), urgency(whole)),
            emotion=self._tone(session, self.settings.emotion_model, (title, text), emotion(whole)),
            same=self._sameness.candidates(session, whole, report),
        )

    def understand_now(self, title: str, text: str, report: Report) -> Understood:
        """`understand` on a snapshot of its own."""
        return self._platform.records.read_now(lambda session: self.understand(session, title, text, report))

    def category(self, session: Session, parts: tuple[str, str]) -> dict[str, Any]:
        """The category that the model in use tells, or an empty label where it abstains, where there is none, or no text."""
        name = self.settings.category_model
        found = self._model(session, name)
        if found is None or not "".join(parts).strip():
            return {"label": "", "levels": [], "candidates": [], "model": None}
        version, model = found
        answer = model.predict([parts], len(model.labels))[0]
        levels = deepest(dict(answer.candidates), answer.threshold)
        told = [{"label": label, "confidence": sure} for label, sure in answer.candidates[:_CANDIDATES]]
        return {
            "label": levels[-1][0] if levels else "",
            "levels": [{"label": label, "confidence": sure} for label, sure in levels],
            "candidates": told,
            "threshold": answer.threshold,
            "model": f"{name}@{version.number}",
            "reasons": msgspec.to_builtins(model.reasons(parts, answer.candidates[0][0])),
            "similar": msgspec.to_builtins(model.similar(parts)),
        }

    def places(self, session: Session, text: str, local: datetime) -> list[Place]:
        """The places that a text names, those first that the library of addresses knows best."""
        addresses = self._platform.get(Addresses)
        found = []
        plain = text
        for moment in moments(text, local):
            end = moment.start + len(moment.words)
            plain = f"{plain[: moment.start]}{' ' * (end - moment.start)}{plain[end:]}"
        for start, words in stretches(plain):
            try:
                parsed = addresses.parse(words[:_LONGEST_ADDRESS])
                located = addresses.geocode(session, [words[:_LONGEST_ADDRESS]], local.date().isoformat())[0]
            except Invalid:
                continue
            found.append(
                Place(
                    words=words,
                    start=start,
                    standard=parsed.standard,
                    district=parsed.place.district,
                    longitude=located.longitude if located else None,
                    latitude=located.latitude if located else None,
                    radius=located.radius if located else None,
                    confidence=located.confidence if located else 0.0,
                )
            )
        return sorted(found, key=lambda place: (-place.confidence, not place.district, -len(place.words)))

    def _tone(self, session: Session, name: str, parts: tuple[str, str], by_words: Tone) -> Tone:
        """What a model tells where one is in use and does not abstain, else what the words tell."""
        found = self._model(session, name)
        if found is None or not "".join(parts).strip():
            return by_words
        answer = found[1].predict([parts], 1)[0]
        return Tone(answer.label, answer.confidence, by_words.words) if answer.label else by_words

    def _model(self, session: Session, name: str) -> Found:
        models = self._platform.get(Models)
        try:
            version = models.in_use(session, name)
        except NotFound:
            return None
        return version, models.loaded(version)

    def _zone(self) -> str:
        city = self._platform.get(Spatial).city()
        return city.timezone if city else "UTC"
