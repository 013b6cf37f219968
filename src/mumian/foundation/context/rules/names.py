"""Names: short terms become addresses (IRIs) and addresses short terms, by a JSON-LD @context that lies before us.

Of JSON-LD 1.1 this is what NGSI-LD needs: terms, prefixes (compact IRIs) and `@vocab`; the core context always has the last word.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mumian.foundation.context.errors import BadRequestData
from mumian.foundation.context.rules import core

_REMEMBERED = 20_000
_DEEPEST = 20
_GENERIC_ENDS = ("/", "#", "?", ":", "[", "]", "@")


class Names:
    """One @context, put together: `address` says where clients find it, `key` is the same for equal ones."""

    def __init__(self, terms: Mapping[str, str], prefixes: Mapping[str, str], address: str | None = None, key: str = "") -> None:
        self.address = address
        self.key = key or address or core.CORE_ADDRESS
        self._prefixes = {**prefixes, **core.PREFIXES}
        self._expanded: dict[str, str] = {**terms, **core.TERMS}
        self._own = len(self._expanded)
        self._compacted: dict[str, str] = {}
        for term, iri in sorted(self._expanded.items(), key=lambda item: (len(item[0]), item[0])):
            self._compacted.setdefault(iri, term)
        for term in core.TERMS:
            self._compacted[core.TERMS[term]] = term
        self._terms = frozenset(self._expanded)
        self._by_length = sorted(self._prefixes.items(), key=lambda item: -len(item[1]))

    def expand(self, name: str) -> str:
        """The address that a name stands for."""
        found = self._expanded.get(name)
        if found is None:
            found = self._expand(name)
            if len(self._expanded) < _REMEMBERED:
                self._expanded[name] = found
        return found

    def compact(self, iri: str) -> str:
        """The shortest name that stands for an address here; the address itself where there is none."""
        found = self._compacted.get(iri)
        if found is None:
            found = self._compact(iri)
            if len(self._compacted) < _REMEMBERED:
                self._compacted[iri] = found
        return found

    def _expand(self, name: str) -> str:
        prefix, colon, rest = name.partition(":")
        if not colon:
            return core.VOCABULARY + name
        if rest.startswith("//") or prefix not in self._prefixes:
            return name
        return self._prefixes[prefix] + rest

    def _compact(self, iri: str) -> str:
        if iri.startswith(core.VOCABULARY):
            rest = iri[len(core.VOCABULARY) :]
            if rest and ":" not in rest and rest not in self._terms:
                return rest
        for prefix, start in self._by_length:
            if iri.startswith(start) and len(iri) > len(start):
                short = f"{prefix}:{iri[len(start) :]}"
                if short not in self._terms and not iri[len(start) :].startswith("//"):
                    return short
        return iri


CORE = Names({}, {}, None, core.CORE_ADDRESS)


def build(parts: Sequence[Mapping[str, Any]], address: str | None, key: str) -> Names:
    """Names of a context from its parts, later ones first in rank; raises BadRequestData for what is no context."""
    merged: dict[str, Any] = {}
    for part in parts:
        merged |= part
    definitions = {term: _identity(term, value) for term, value in merged.items() if not term.startswith("@")}
    terms: dict[str, str] = {}
    for term, value in definitions.items():
        iri = _resolve(value, definitions, merged.get("@vocab"), 0)
        if iri is not None:
            terms[term] = iri
    prefixes = {
        term: iri
        for term, iri in terms.items()
        if iri.endswith(_GENERIC_ENDS) or (isinstance(merged[term], dict) and merged[term].get("@prefix") is True)
    }
    return Names({t: i for t, i in terms.items() if t not in prefixes}, prefixes, address, key)


def _identity(term: str, value: Any) -> str | None:
    """What a term's definition says that it is: an IRI, a name to resolve, or nothing."""
    if isinstance(value, dict) and "@context" in value:
        raise BadRequestData.field(f"@context.{term}", "context.scoped")
    given = value.get("@id", None if "@reverse" in value else term) if isinstance(value, dict) else value
    if given is not None and not isinstance(given, str):
        raise BadRequestData.field(f"@context.{term}", "field.type", expected="string, object")
    return given


def _resolve(value: str | None, definitions: Mapping[str, str | None], vocabulary: Any, depth: int) -> str | None:
    """Follow prefixes and terms to an absolute IRI; keywords and circles come to nothing."""
    if value is None or value.startswith("@") or depth > _DEEPEST:
        return None
    prefix, colon, rest = value.partition(":")
    if colon:
        if rest.startswith("//"):
            return value
        start = core.PREFIXES.get(prefix) or _resolve(definitions.get(prefix), definitions, vocabulary, depth + 1)
        return value if start is None else start + rest
    if value in core.TERMS:
        return core.TERMS[value]
    inner = definitions.get(value)
    if inner is not None and inner != value:
        return _resolve(inner, definitions, vocabulary, depth + 1)
    return (vocabulary if isinstance(vocabulary, str) and ":" in vocabulary else core.VOCABULARY) + value
