"""Keeping models: artefacts by their digest, versions that are registered, approved and retired, each step in the ledger."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from mumian.foundation.models import rules, store
from mumian.foundation.models.contracts import Model, Version
from mumian.foundation.models.errors import BadModel, NoBetter, NotPossible
from mumian.foundation.models.events import ModelAdded, VersionDecided, VersionRegistered
from mumian.foundation.storage.contracts import Objects
from mumian.kernel.errors import Conflict, Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction


class Keeping:
    """What is known of models, and the files that are them."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def put(self, content: bytes) -> str:
        """Keep an artefact; returns its SHA-256. Blocks."""
        digest = sha256(content).hexdigest()
        self._objects().put(f"models/{digest}", content)
        return digest

    def content(self, digest: str, name: str) -> bytes:
        """An artefact that is what it was; raises BadModel. Blocks."""
        try:
            found = self._objects().get(f"models/{digest}")
        except NotFound as error:
            raise BadModel(name=name, reason="its file is gone") from error
        if sha256(found).hexdigest() != digest:
            raise BadModel(name=name, reason=f"its SHA-256 is not {digest}")
        return found

    def _objects(self) -> Objects:
        return self._platform.get(Objects)  # type: ignore[type-abstract]

    def model(self, session: Session, name: str) -> Model:
        """The model of a name; raises NotFound."""
        found = store.model(session, name)
        if found is None:
            raise NotFound(kind="model", name=name)
        return found

    def version(self, session: Session, name: str, number: int) -> Version:
        """A version; raises NotFound."""
        found = store.version(session, name, number)
        if found is None:
            raise NotFound(kind="version", name=f"{name}@{number}")
        return found

    def in_use(self, session: Session, name: str) -> Version:
        """The approved version; raises NotFound."""
        found = store.newest(session, name, ("approved",))
        if found is None:
            raise NotFound(kind="approved version of the model", name=name)
        return found

    def register(
        self,
        tx: Transaction,
        name: str,
        kind: str,
        artefact: tuple[str, int],
        about: Mapping[str, Any],
    ) -> Version:
        """A new draft of a model, which comes into being with its first; `artefact` is SHA-256 and bytes.

        `about` holds `data`, `evaluation` and `compared`. Raises Conflict where the model is of another kind.
        """
        known = store.model(tx.session, name)
        if known is None:
            known = Model(name=name, kind=kind, title={"zh": name, "en": name}, created=tx.now_text)
            store.add(tx.session, known)
            tx.emit(ModelAdded(subject=name, kind=kind, title=known.title))
        if known.kind != kind:
            raise Conflict(reason=f"the model {name} is of the kind {known.kind}")
        made = Version(
            model=name,
            number=store.last_number(tx.session, name) + 1,
            sha256=artefact[0],
            bytes=artefact[1],
            data=dict(about.get("data", {})),
            evaluation=dict(about.get("evaluation", {})),
            compared=dict(about.get("compared", {})),
            registered=tx.now_text,
            registered_by=tx.actor.id,
        )
        store.register(tx.session, made)
        tx.emit(
            VersionRegistered(
                subject=name,
                number=made.number,
                sha256=made.sha256,
                bytes=made.bytes,
                data=made.data,
                evaluation=made.evaluation,
                compared=made.compared,
            )
        )
        return made

    def approve(self, tx: Transaction, name: str, number: int, note: str = "") -> Version:
        """Let a draft be used; the version that was in use is retired. Raises NotFound, NotPossible, NoBetter, Invalid."""
        found = self.version(tx.session, name, number)
        if not rules.possible(found.state, "approved"):
            raise NotPossible(action="approve", state=found.state)
        if not rules.evaluated(found.evaluation):
            raise Invalid.field("evaluation", "models.not_evaluated")
        present = store.newest(tx.session, name, ("approved",))
        if not rules.better(found.compared, present.number if present else None):
            compared = found.compared
            raise NoBetter(measure=compared.get("measure", "–"), new=_shown(compared.get("new")), old=_shown(compared.get("old")))
        if present is not None:
            self._decide(tx, present, "retired", f"version {number} took over")
        return self._decide(tx, found, "approved", note)

    def retire(self, tx: Transaction, name: str, number: int, note: str = "") -> Version:
        """Let a version be used no longer; raises NotFound, NotPossible."""
        found = self.version(tx.session, name, number)
        if not rules.possible(found.state, "retired"):
            raise NotPossible(action="retire", state=found.state)
        return self._decide(tx, found, "retired", note)

    def _decide(self, tx: Transaction, found: Version, state: str, note: str) -> Version:
        if not store.decide(tx.session, found, state, tx.now_text, tx.actor.id, note):
            raise NotPossible(action=state, state=found.state)
        tx.emit(VersionDecided(subject=found.model, number=found.number, state=state, by=tx.actor.id, note=note))
        return self.version(tx.session, found.model, found.number)


def _shown(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "–" if value is None else str(value)
