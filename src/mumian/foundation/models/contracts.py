"""Contracts of models: models and their versions as kept, what a text classifier answers, and how alike texts are."""

from typing import Any

import msgspec

from mumian.foundation.models.text.contracts import Answer, Case, Evaluation, Labelled, Reason
from mumian.foundation.models.text.likeness import Shelf, fingerprint

__all__ = [
    "STATES",
    "Answer",
    "Case",
    "Evaluation",
    "Labelled",
    "Model",
    "Reason",
    "Shelf",
    "Version",
    "fingerprint",
]

STATES = ("draft", "approved", "retired")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model 模型: what it is for. `kind` tells what its versions are; `text` is a text classifier."""

    name: str
    kind: str
    title: dict[str, str]
    created: str


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a model: its artefact by SHA-256, what it learned from, how it was evaluated, and who let it be used.

    `data` names the source, its rows and columns, and the SHA-256 of the texts; `evaluation` holds measures of texts that were
    not learned from; `compared`, where another version was in use, both versions' measure on the same held-out corrections.
    Times are ISO instants, empty: not yet.
    """

    model: str
    number: int
    state: str = "draft"
    sha256: str
    bytes: int
    data: dict[str, Any]
    evaluation: dict[str, Any]
    compared: dict[str, Any] = {}
    registered: str
    registered_by: str
    decided: str = ""
    decided_by: str = ""
    note: str = ""
