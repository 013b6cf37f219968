"""Learning text models: labelled texts become a draft, with the texts themselves kept beside it as what it was made from."""

import gzip
import zlib
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from mumian.foundation.models.contracts import Version
from mumian.foundation.models.errors import BadModel, NotLearnable
from mumian.foundation.models.service.answering import Answering
from mumian.foundation.models.service.keeping import Keeping
from mumian.foundation.models.text import files
from mumian.foundation.models.text.contracts import Labelled
from mumian.foundation.models.text.model import TextModel
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor

LEAST_HELD_OUT = 10
WANTED = 0.95
_MOST_TEXTS_BYTES = 1024 * 1024 * 1024
Tell = Callable[[str], None]


class Learning:
    """Trains text models; every method blocks for as long as it takes."""

    def __init__(self, platform: Platform, keeping: Keeping, answering: Answering) -> None:
        self._platform = platform
        self._keeping = keeping
        self._answering = answering

    def train_now(
        self, name: str, texts: Sequence[Labelled], source: Mapping[str, Any], wanted: float = WANTED,
        tell: Tell = lambda line: None, actor: Actor = SYSTEM,
    ) -> Version:  # fmt: skip
        """Train a model and register it as a draft; `source` says where the texts are from. Raises NotLearnable, Conflict."""
        from mumian.foundation.models.text.training import train

        made = train(texts, wanted, tell)
        return self._registered(name, made.model, texts, {"data": source, "evaluation": made.evaluation}, actor)

    def retrain_now(
        self, name: str, corrections: Sequence[Labelled], tell: Tell = lambda line: None, actor: Actor = SYSTEM
    ) -> Version:
        """A new draft from what the version in use learned and two thirds of the corrections; both are tried on the last third.

        A correction is held out by the digest of its text, so that it always is. Raises NotFound, NotLearnable with too few.
        """
        from mumian.foundation.models.text.training import train

        present = self._platform.records.read_now(lambda session: self._keeping.in_use(session, name))
        held = [each for each in corrections if held_out(each)]
        taught = [each for each in corrections if not held_out(each)]
        if len(held) < LEAST_HELD_OUT:
            raise NotLearnable(reason=f"{len(held)} / {LEAST_HELD_OUT} corrections to try it on 留出的更正")
        before = self._answering.loaded(present)
        unseen = {each.parts for each in held} | {each.parts for each in taught}
        first = [each for each in self.texts(present) if each.parts not in unseen]
        texts = first + taught
        made = train(texts, WANTED, tell)
        compared = {
            "against": present.number,
            "measure": f"accuracy on {len(held)} held-out corrections",
            "new": accuracy(made.model, held),
            "old": accuracy(before, held),
        }
        source = {**present.data, "corrections": len(taught), "after": present.number}
        about = {"data": source, "evaluation": made.evaluation, "compared": compared}
        return self._registered(name, made.model, texts, about, actor)

    def texts(self, version: Version) -> list[Labelled]:
        """What a version learned from; raises BadModel."""
        name = f"{version.model}@{version.number}"
        try:
            packed = self._keeping.content(str(version.data.get("sha256", "")), name)
            plain = zlib.decompressobj(31).decompress(packed, _MOST_TEXTS_BYTES)
            return msgspec.json.decode(plain, type=list[Labelled])
        except (zlib.error, msgspec.DecodeError) as error:
            raise BadModel(name=name, reason="the texts that it learned from cannot be read") from error

    def _registered(
        self, name: str, model: TextModel, texts: Sequence[Labelled], about: Mapping[str, Any], actor: Actor
    ) -> Version:
        content = files.packed(model)
        if len(content) > files.MOST_BYTES:
            raise NotLearnable(reason=f"a model of ≤ {files.MOST_BYTES} bytes; it has {len(content)}")
        learned = self._keeping.put(gzip.compress(msgspec.json.encode(list(texts)), mtime=0))
        data = {**about["data"], "texts": len(texts), "labels": len(model.labels), "sha256": learned}
        whole = {**about, "data": data, "evaluation": msgspec.to_builtins(about["evaluation"])}
        artefact = (self._keeping.put(content), len(content))
        return self._platform.records.write_now(lambda tx: self._keeping.register(tx, name, "text", artefact, whole), actor)


def held_out(each: Labelled) -> bool:
    """Whether a correction is kept for trying models on: one in three, by the digest of its text."""
    return sha256("\n".join(each.parts).encode("utf-8", "replace")).digest()[0] % 3 == 0


def accuracy(model: TextModel, texts: Sequence[Labelled]) -> float:
    """The share of texts whose likeliest label is theirs."""
    answers = model.predict([each.parts for each in texts], 1)
    right = sum(answer.candidates[0][0] == each.label for answer, each in zip(answers, texts, strict=True))
    return right / max(len(texts), 1)
