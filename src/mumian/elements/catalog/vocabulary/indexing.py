"""Indexing: the words of data elements, code lists and terms are kept where search finds them."""

import json
from typing import Any

from mumian.foundation.search.api import Search
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction

CONSUMER = "elements.catalog.vocabulary"
KINDS = ("DataElement", "CodeList", "Term")


def subscribe(platform: Platform) -> None:
    """Listen to what is declared."""
    platform.subscribe("declarations.applied", CONSUMER, lambda tx, event: _applied(tx, event, platform.get(Search)))


def _applied(tx: Transaction, event: DeliveredEvent, search: Search) -> None:
    sql = "SELECT document FROM declaration_current WHERE kind = :kind AND name = :name"
    for change in event.data["changes"]:
        kind, name = change["kind"], change["name"]
        if kind not in KINDS:
            continue
        found = tx.session.value(sql, kind=kind, name=name)
        if found is None:
            search.remove(tx, f"elements.catalog.{kind}", name)
        else:
            body = json.loads(found)
            words = " ".join([name, *_words(body["spec"])])
            search.put(tx, f"elements.catalog.{kind}", name, " ".join(body["title"].values()), words)


def _words(spec: dict[str, Any]) -> list[str]:
    words = list((spec.get("definition") or spec.get("description") or {}).values())
    words += spec.get("names") or spec.get("synonyms") or []
    words += [title for code in spec.get("codes", [])[:2000] for title in code["title"].values()]
    return [*words, spec.get("standard") or ""]
