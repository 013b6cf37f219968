"""Voices: what the public asks for, finds wrong and makes of open data; seen by all once the owner has looked at it."""

import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from mumian.elements.opening.errors import Closed
from mumian.elements.opening.events import Rated, VoiceAnswered, VoiceHeard
from mumian.elements.opening.settings import OpeningSettings
from mumian.elements.opening.store import usage, voices
from mumian.foundation.identity.api import Caller, require
from mumian.kernel.clock import iso
from mumian.kernel.errors import Forbidden, Invalid, NotFound, Unauthenticated
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Transaction

KINDS = ("request", "correction", "use-case")
ANSWERS = ("planned", "done", "declined", "hidden")


@dataclass(frozen=True)
class Voice:
    """What somebody says: `said` is shown to others once it was looked at, `contact` never."""

    kind: str
    dataset: str | None
    said: dict[str, Any]
    contact: str | None


class Voices:
    """Hears the public, and lets owners answer."""

    def __init__(self, platform: Platform, settings: OpeningSettings) -> None:
        self._platform = platform
        self._settings = settings

    def hear(self, tx: Transaction, voice: Voice, person: str) -> Row:
        """Take in what somebody says; raises Invalid, NotFound."""
        if voice.dataset is None and voice.kind != "request":
            raise Invalid.field("dataset", "field.missing")
        owner = None if voice.dataset is None else self._platform.declarations.get("Dataset", voice.dataset).spec.owner
        due = None if voice.kind == "use-case" else iso(tx.now + timedelta(days=self._settings.answer_days))
        said = json.dumps(voice.said, ensure_ascii=False, sort_keys=True)
        given = {"kind": voice.kind, "dataset": voice.dataset, "owner": owner, "said": said, "contact": voice.contact}
        number = voices.file(tx, {**given, "person": person, "due": due})
        row = voices.one(tx.session, number)
        assert row is not None
        heard = VoiceHeard(subject=str(number), kind=voice.kind, dataset=voice.dataset, owner=owner, due=due, digest=digest(row))
        tx.emit(heard)
        return row

    def answer(self, tx: Transaction, caller: Caller, number: int, state: str, text: str) -> Row:
        """Answer, by who may for its owner; raises NotFound, Forbidden, Closed."""
        row = voices.one(tx.session, number)
        if row is None:
            raise NotFound(kind="Voice", name=str(number))
        require_for(caller, "open:answer", row["owner"])
        if row["state"] not in ("filed", "planned"):
            raise Closed(reason=f"number {number} is {row['state']}")
        voices.answer(tx, number, state, text)
        row = voices.one(tx.session, number)
        assert row is not None
        tx.emit(VoiceAnswered(subject=str(number), state=state, digest=digest(row)))
        return row

    def rate(self, tx: Transaction, dataset: str, person: str, stars: int) -> dict[int, int]:
        """Rate a dataset; returns how many gave so many stars. Raises NotFound."""
        self._platform.declarations.get("Dataset", dataset)
        usage.rate(tx, dataset, person, stars)
        tx.emit(Rated(subject=dataset, person=person, stars=stars))
        return usage.rating(tx.session, dataset)


def require_for(caller: Caller, action: str, owner: str | None) -> None:
    """Let pass only who may act for an owner; where there is none yet, only who may for the whole city."""
    if owner is not None or caller.organisation is None:
        require(caller, action, owner)
        return
    if caller.anonymous:
        raise Unauthenticated
    if not caller.allowed(action):
        raise Forbidden(action=action)


def digest(row: Row) -> str:
    """The SHA-256 of all that somebody said and was answered."""
    said = row["said"] if isinstance(row["said"], str) else json.dumps(row["said"], ensure_ascii=False, sort_keys=True)
    told = [row[key] for key in ("kind", "dataset", "owner", "contact", "person", "answer")] + [said]
    return sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()
