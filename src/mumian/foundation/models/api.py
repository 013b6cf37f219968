"""Models for other components: `platform.get(Models)` keeps them, trains text classifiers, and answers with those in use."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mumian.foundation.models import store
from mumian.foundation.models.contracts import Answer, Case, Model, Reason, Version
from mumian.foundation.models.service.answering import Answering
from mumian.foundation.models.service.keeping import Keeping
from mumian.foundation.models.service.learning import LEAST_HELD_OUT, WANTED, Learning, Tell, held_out
from mumian.foundation.models.text import files
from mumian.foundation.models.text.contracts import Labelled
from mumian.foundation.models.text.model import TextModel
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Session, Transaction

__all__ = [
    "LEAST_HELD_OUT",
    "Answer",
    "Case",
    "Labelled",
    "Model",
    "Models",
    "Reason",
    "TextModel",
    "Version",
    "held_out",
]


class Models:
    """The register of models 模型登记: versions as drafts, in use (approved, one at a time) and retired; thread-safe.

    Methods that end in `_now`, `loaded` and `upload` block: not on the event loop.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.keeping = Keeping(platform)
        self._answering = Answering(self.keeping)
        self._learning = Learning(platform, self.keeping, self._answering)

    def in_use(self, session: Session, name: str) -> Version:
        """The approved version of a model; raises NotFound."""
        return self.keeping.in_use(session, name)

    def newest(self, session: Session, name: str, number: int | None = None) -> Version:
        """A version by number, or else the newest that is not retired; raises NotFound."""
        if number is not None:
            return self.keeping.version(session, name, number)
        found = store.newest(session, name, ("draft", "approved"))
        if found is None:
            raise NotFound(kind="model", name=name)
        return found

    def loaded(self, version: Version) -> TextModel:
        """The text model of a version, its file checked against the digest in the ledger; raises BadModel."""
        return self._answering.loaded(version)

    async def using(self, name: str) -> tuple[Version, TextModel] | None:
        """The text model that is in use under a name; None if there is none. Raises BadModel."""
        try:
            version = await self._platform.records.read(lambda session: self.in_use(session, name))
        except NotFound:
            return None
        return version, await asyncio.to_thread(self.loaded, version)

    def train_now(
        self, name: str, texts: Sequence[Labelled], source: Mapping[str, Any], wanted: float = WANTED,
        tell: Tell = lambda line: None, actor: Actor = SYSTEM,
    ) -> Version:  # fmt: skip
        """Train a text classifier and register it as a draft.

        `source` says where the texts are from; `wanted` is the share of given answers that shall be right. Raises Invalid for
        the name, NotLearnable, and Conflict where the name is of a model of another kind.
        """
        return self._learning.train_now(checked_name(name), texts, source, wanted, tell, actor)

    def retrain_now(
        self, name: str, corrections: Sequence[Labelled], tell: Tell = lambda line: None, actor: Actor = SYSTEM
    ) -> Version:
        """A new draft that learned two thirds of the corrections, too, and was held against the version in use on the others."""
        return self._learning.retrain_now(name, corrections, tell, actor)

    def upload(self, name: str, content: bytes, actor: Actor, note: Mapping[str, Any]) -> Version:
        """Register a text model's file as a draft, once it has been read and found whole; raises BadModel, Conflict."""
        model = files.unpacked(content, checked_name(name))
        about = {"data": {"source": "uploaded", "labels": len(model.labels)}, "evaluation": dict(note)}
        artefact = (self.keeping.put(content), len(content))
        return self._platform.records.write_now(lambda tx: self.keeping.register(tx, name, "text", artefact, about), actor)

    def approve(self, tx: Transaction, name: str, number: int, note: str = "") -> Version:
        """Let a draft be used in place of the version that is; raises NotFound, NotPossible, NoBetter, Invalid."""
        return self.keeping.approve(tx, name, number, note)

    def retire(self, tx: Transaction, name: str, number: int, note: str = "") -> Version:
        """Let a version be used no longer; raises NotFound, NotPossible."""
        return self.keeping.retire(tx, name, number, note)


def checked_name(name: str) -> str:
    """The name of a model, if it can be one: letters, digits and `-`, at most 60; raises Invalid."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", name):
        raise Invalid.field("name", "field.pattern", expected="[a-z0-9-]")
    return name
