"""Graphs of DCAT catalogues (DCAT 3, DCAT-AP) as datasets of the catalogue; a page is parsed without fetching anything else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin

from mumian.elements.catalog.api import Distribution, HarvestedDataset
from mumian.elements.collection.harvest.models import CatalogueSourceSpec
from mumian.elements.collection.harvest.records import languages
from mumian.kernel.errors import Fault, Malformed

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

_MEDIA = {
    "text/turtle": "turtle", "application/ld+json": "json-ld", "application/json": "json-ld", "application/rdf+xml": "xml",
    "application/xml": "xml", "text/xml": "xml", "application/n-triples": "nt", "text/n3": "n3",
}  # fmt: skip
_PACES = {
    "UPDATE_CONT": 60, "CONT": 60, "HOURLY": 3600, "DAILY": 86_400, "WEEKLY": 604_800, "MONTHLY": 2_629_746,
    "QUARTERLY": 7_889_238, "ANNUAL_2": 15_778_476, "ANNUAL": 31_556_952,
}  # fmt: skip
_TRIPLES = 2_000_000


def graph(path: Path, media: str, base: str) -> "Graph":
    """The graph of a page; raises Malformed, for XML with a document type or entities and JSON-LD with foreign contexts too."""
    from rdflib import Graph

    content = path.read_bytes()
    form = _MEDIA.get(media) or _form(content)
    if form == "xml":
        _check_xml(content)
    if form == "json-ld":
        _check_contexts(content)
    made = Graph()
    try:
        made.parse(data=content, format=form, publicID=base)
    except Exception as error:  # parsers of rdflib raise whatever they meet
        raise Malformed(
            Fault("source", "field.syntax", {"reason": str(error).splitlines()[0][:200] if str(error) else form})
        ) from error
    if len(made) > _TRIPLES:
        raise Malformed(Fault("source", "field.length", {"expected": f"≤ {_TRIPLES}"}))
    return made


def _form(content: bytes) -> str:
    begin = content.lstrip(b"\xef\xbb\xbf \r\n\t")[:200]
    if begin[:1] in (b"{", b"["):
        return "json-ld"
    return "xml" if begin.startswith((b"<?xml", b"<rdf:RDF")) else "turtle"


def _check_xml(content: bytes) -> None:
    from xml.sax import ContentHandler, SAXException

    from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
    from defusedxml.sax import parseString  # type: ignore[import-untyped]

    try:
        parseString(content, ContentHandler(), forbid_dtd=True)
    except (DefusedXmlException, SAXException, ValueError) as error:
        raise Malformed(Fault("source", "collection.xml", {"reason": type(error).__name__})) from error


def _check_contexts(content: bytes) -> None:
    """A context that stands elsewhere would be fetched from wherever the document says."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Malformed(Fault("source", "field.syntax", {"reason": str(error)[:200]})) from error
    waiting, seen = [document], 0
    while waiting:
        each = waiting.pop()
        seen += 1
        if seen > _TRIPLES:
            raise Malformed(Fault("source", "field.length", {"expected": f"≤ {_TRIPLES}"}))
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            context = each.get("@context")
            contexts = context if isinstance(context, list) else [context]
            if "@import" in each or any(isinstance(one, str) for one in contexts):
                raise Malformed(Fault("source", "collection.context", {}))
            waiting += each.values()


def next_page(found: "Graph", here: str) -> str | None:
    """The address of the next page of a hydra collection."""
    from rdflib import Namespace

    hydra = Namespace("http://www.w3.org/ns/hydra/core#")
    following = next(iter(sorted(map(str, found.objects(None, hydra.next)))), None) or next(
        iter(sorted(map(str, found.objects(None, hydra.nextPage)))), None
    )
    return None if following is None else urljoin(here, str(following))


def datasets(found: "Graph", origin: str, spec: CatalogueSourceSpec) -> Iterator[HarvestedDataset]:
    """The datasets of a page."""
    from rdflib.namespace import DCAT, RDF

    reader = _Reader(found)
    for node in sorted(set(found.subjects(RDF.type, DCAT.Dataset)), key=_order):
        yield reader.dataset(node, origin, spec)


class _Reader:
    def __init__(self, found: "Graph") -> None:
        from rdflib.namespace import DCAT, DCTERMS, FOAF, RDFS, SKOS

        self._graph = found
        self._dcat, self._dct, self._foaf, self._skos, self._rdfs = DCAT, DCTERMS, FOAF, SKOS, RDFS

    def dataset(self, node: "Node", origin: str, spec: CatalogueSourceSpec) -> HarvestedDataset:
        """One dataset with its distributions."""
        identifier = self._text(node, self._dct.identifier) or str(node)
        publisher = self._one(node, self._dct.publisher)
        theme = self._one(node, self._dcat.theme)
        licence = self._one(node, self._dct.license)
        pace = self._one(node, self._dct.accrualPeriodicity)
        ways = [way for each in self._all(node, self._dcat.distribution) if (way := self._distribution(each)) is not None]
        licences = [
            self._name(each) for way in self._all(node, self._dcat.distribution) for each in self._all(way, self._dct.license)
        ]
        return HarvestedDataset(
            origin=origin,
            identifier=identifier[:400],
            title=self._texts(node, self._dct.title) or languages(identifier),
            description=self._texts(node, self._dct.description),
            original=self._original(node),
            source_url=str(node) if str(node).startswith("http") else None,
            landing_page=self._text(node, self._dcat.landingPage),
            publisher=None if publisher is None else self._name(publisher),
            owner=spec.owner,
            theme=(None if theme is None else self._name(theme)) or spec.theme,
            keywords=tuple(dict.fromkeys(str(each) for each in self._all(node, self._dcat.keyword)))[:50],
            licence=self._name(licence) if licence is not None else next((each for each in licences if each), None),
            frequency_seconds=None if pace is None else _PACES.get(re.split("[/#]", str(pace))[-1].upper()),
            issued=self._text(node, self._dct.issued),
            modified=self._text(node, self._dct.modified),
            distributions=tuple(sorted(ways, key=lambda way: (way.service, way.format, way.url))),
        )

    def _distribution(self, node: "Node") -> Distribution | None:
        url = self._text(node, self._dcat.downloadURL) or self._text(node, self._dcat.accessURL)
        if url is None or not re.match(r"https?://\S+$", url):
            return None
        kind, media = self._one(node, self._dct["format"]), self._one(node, self._dcat.mediaType)
        media_type = None if media is None else unquote("/".join(str(media).split("/")[-2:]))
        size = self._text(node, self._dcat.byteSize)
        name = (self._name(kind) or "") if kind is not None else (media_type or "").split("/")[-1]
        return Distribution(
            format=name.upper().replace("TEXT/", "")[:40],
            url=url,
            media_type=media_type,
            title=self._texts(node, self._dct.title),
            service=self._one(node, self._dcat.accessService) is not None,
            licence=self._text(node, self._dct.license),
            bytes=int(float(size)) if size and re.fullmatch(r"\d+(\.\d+)?", size) else None,
        )

    def _all(self, node: "Node", predicate: Any) -> list["Node"]:
        return sorted(self._graph.objects(node, predicate), key=_order)

    def _one(self, node: "Node", predicate: Any) -> "Node | None":
        return next(iter(self._all(node, predicate)), None)

    def _text(self, node: "Node", predicate: Any) -> str | None:
        found = self._one(node, predicate)
        return None if found is None else str(found).strip() or None

    def _texts(self, node: "Node", predicate: Any) -> dict[str, str]:
        told: dict[str, str] = {}
        for each in self._all(node, predicate):
            language = (getattr(each, "language", None) or "")[:2].lower()
            if language in ("zh", "en"):
                told.setdefault(language, str(each).strip())
        rest = [str(each).strip() for each in self._all(node, predicate) if str(each).strip()]
        return {key: text for key, text in told.items() if text} or (languages(rest[0]) if rest else {})

    def _name(self, node: "Node") -> str | None:
        """What people call a thing: its name or label, else the end of its address."""
        from rdflib import Literal

        if isinstance(node, Literal):
            return str(node).strip() or None
        for predicate in (self._foaf.name, self._skos.prefLabel, self._dct.title, self._rdfs.label):
            found = self._texts(node, predicate)
            if found:
                return found.get("zh") or next(iter(found.values()))
        end = unquote(re.split("[/#]", str(node).rstrip("/"))[-1])
        return end or None

    def _original(self, node: "Node") -> list[list[str]]:
        """The statements about a dataset and its distributions, in order."""
        about = [node, *self._all(node, self._dcat.distribution)]
        return [
            [each.n3(), predicate.n3(), value.n3()]
            for each in about
            for predicate, value in sorted(self._graph.predicate_objects(each), key=_pair)
        ]


def _order(node: "Node") -> str:
    return str(node.n3())


def _pair(pair: "tuple[Node, Node]") -> tuple[str, str]:
    return _order(pair[0]), _order(pair[1])
