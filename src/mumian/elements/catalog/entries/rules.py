"""Rules of entries: what a declaration, a stream or a harvested record says about a dataset, as one row and one text."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from mumian.elements.catalog.entries.contracts import HarvestedDataset
from mumian.elements.catalog.models import DatasetSpec

ORIGIN = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_SEARCHED = 20_000


@dataclass(frozen=True)
class Draft:
    """An entry as its source describes it; `facts` is all that is shown but not filtered by."""

    name: str
    kind: str
    title: dict[str, str]
    origin: str | None = None
    owner: str | None = None
    theme: str | None = None
    duty: str | None = None
    share: str | None = None
    opened: str | None = None
    frequency_seconds: int | None = None
    formats: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """The columns that the source decides, with their digest."""
        told = {
            "kind": self.kind,
            "origin": self.origin,
            "title_zh": self.title.get("zh") or self.title.get("en", ""),
            "title_en": self.title.get("en") or self.title.get("zh", ""),
            "owner": self.owner,
            "theme": self.theme,
            "duty": self.duty,
            "observes": self.facts.get("observed_property") if self.kind == "dataset" else None,
            "share": self.share,
            "opened": self.opened,
            "frequency_seconds": self.frequency_seconds,
            "formats": _json(sorted(set(self.formats))),
            "facts": _json(self.facts),
        }
        return told | {"digest": digest(told)}

    def texts(self, *others: str) -> tuple[str, str]:
        """The title and the body by which it is found; `others` are further words, such as the owner's title."""
        facts, words = self.facts, [self.name, self.owner or "", self.theme or "", self.duty or "", *others]
        words += [facts.get("publisher") or "", facts.get("observed_property") or "", facts.get("source") or ""]
        words += list((facts.get("description") or {}).values()) + list(facts.get("keywords") or ())
        for each in facts.get("fields") or ():
            words += [each["name"], each.get("element") or "", *((each.get("title") or {}).values())]
        return " ".join(dict.fromkeys(self.title.values())), " ".join(word for word in words if word)[:_SEARCHED]


def declared(name: str, title: dict[str, str], spec: DatasetSpec, formats: tuple[str, ...] = ()) -> Draft:
    """The entry of a declared dataset."""
    facts = spec.model_dump(exclude={"owner", "theme", "duty", "share", "opened", "frequency_seconds"}, exclude_unset=True)
    return Draft(
        name=name,
        kind="dataset",
        title=title,
        owner=spec.owner,
        theme=spec.theme,
        duty=spec.duty,
        share=spec.share,
        opened=spec.opened,
        frequency_seconds=spec.frequency_seconds,
        formats=formats,
        facts={key: value for key, value in facts.items() if value not in (None, [], {})},
    )


def streamed(name: str, title: dict[str, str], facts: Mapping[str, Any]) -> Draft:
    """The entry of a stream, which everybody may see."""
    kept = {key: facts[key] for key in ("unit", "observed_property", "stream")}
    return Draft(
        name=name,
        kind="stream",
        title=title,
        owner=facts["owner"],
        frequency_seconds=facts["frequency_seconds"],
        formats=("SensorThings",),
        facts=kept,
    )


def harvested(given: HarvestedDataset) -> Draft:
    """The entry of a dataset that another catalogue describes."""
    told = record(given)
    left = ("origin", "identifier", "title", "owner", "theme", "frequency_seconds")
    facts = {key: value for key, value in told.items() if key not in left and value not in (None, "", [], {})}
    return Draft(
        name=given.name,
        kind="harvested",
        title=given.title,
        origin=given.origin,
        owner=given.owner,
        theme=given.theme,
        frequency_seconds=given.frequency_seconds,
        formats=tuple(each.format for each in given.distributions if each.format),
        facts=facts | {"identifier": given.identifier},
    )


def record(given: HarvestedDataset) -> dict[str, Any]:
    """A harvested dataset as JSON, without its original."""
    told = asdict(given)
    told.pop("original")
    return json.loads(_json(told))  # type: ignore[no-any-return]


def digest(value: Any) -> str:
    """The SHA-256 of a value's canonical JSON."""
    return sha256(_json(value).encode()).hexdigest()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
