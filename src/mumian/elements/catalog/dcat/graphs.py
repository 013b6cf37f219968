"""Graphs: datasets of the catalogue as triples of DCAT-AP 3, with the classes that its shapes ask for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mumian.elements.catalog.api import Dataset, Distribution
from mumian.elements.catalog.dcat import rules

if TYPE_CHECKING:
    from rdflib import URIRef
    from rdflib.term import Node

DCAT = "http://www.w3.org/ns/dcat#"
DCATAP = "http://data.europa.eu/r5r/"
HYDRA = "http://www.w3.org/ns/hydra/core#"
ADMS = "http://www.w3.org/ns/adms#"
DQV = "http://www.w3.org/ns/dqv#"
VCARD = "http://www.w3.org/2006/vcard/ns#"


@dataclass(frozen=True)
class House:
    """Who publishes: the address of this server (ending in `/`), the catalogue's title, organisations' titles by name."""

    base: str
    title: dict[str, str]
    publisher: str | None
    organisations: Mapping[str, dict[str, str]] = field(default_factory=dict)


class Writer:
    """Writes datasets into one graph; Chinese texts are tagged zh, English ones en."""

    def __init__(self, house: House) -> None:
        from rdflib import Graph
        from rdflib.namespace import DCTERMS, FOAF, RDF, SKOS, XSD, Namespace

        self.graph: Graph = Graph()
        self._house = house
        self._dcat: Namespace = Namespace(DCAT)  # rdflib's own closed one knows DCAT 2 only
        self._dct, self._foaf, self._rdf, self._skos, self._xsd = DCTERMS, FOAF, RDF, SKOS, XSD
        self._vcard: Namespace = Namespace(VCARD)
        self._dcatap, self._hydra, self._dqv = Namespace(DCATAP), Namespace(HYDRA), Namespace(DQV)
        for prefix, space in (("dcat", DCAT), ("dct", DCTERMS), ("foaf", FOAF), ("skos", SKOS), ("vcard", self._vcard)):
            self.graph.bind(prefix, space, replace=True)
        for prefix, address in (("dcatap", DCATAP), ("hydra", HYDRA), ("dqv", DQV)):
            self.graph.bind(prefix, address, replace=True)

    def iri(self, path: str) -> "URIRef":
        """An address: on this server, where it has no scheme of its own."""
        from rdflib import URIRef

        return URIRef(path if path.startswith(("http://", "https://")) else self._house.base + path.lstrip("/"))

    def dataset_iri(self, name: str) -> "URIRef":
        """What stands for a dataset."""
        return self.iri(f"dataset/{quote(name, safe=':')}")

    def catalogue(self, datasets: Iterable[tuple[Dataset, list[Distribution]]], page: Mapping[str, Any]) -> None:
        """The catalogue with one page of its datasets; `page` has `total`, `here`, `first` and `next` (or None) as addresses."""
        node = self.iri("catalog")
        self._add(node, self._rdf.type, self._dcat.Catalog)
        self._texts(node, self._dct.title, self._house.title)
        self._texts(node, self._dct.description, {"zh": "公共数据资源目录", "en": "Catalogue of public data"})
        self._add(node, self._foaf.homepage, self._typed(self.iri("catalogue"), self._foaf.Document))
        publisher = self._house.publisher
        self._add(node, self._dct.publisher, self._organisation(publisher) if publisher else self._agent(node, self._house.title))
        for term in ("ZHO", "ENG"):
            language = self._typed(self.iri(f"{rules.AUTHORITY}language/{term}"), self._dct.LinguisticSystem)
            self._add(node, self._dct.language, language)
        for dataset, ways in datasets:
            self._add(node, self._dcat.dataset, self.dataset(dataset, ways, node))
        self._paging(node, page)

    def dataset(self, told: Dataset, ways: Iterable[Distribution], catalogue: "Node | None" = None) -> "URIRef":
        """One dataset with its distributions; returns what stands for it."""
        node, dct = self.dataset_iri(told.name), self._dct
        self._add(node, self._rdf.type, self._dcat.Dataset)
        self._add(node, dct.identifier, self._literal(told.name))
        self._texts(node, dct.title, told.title)
        self._texts(node, dct.description, told.description or told.title)
        for word in told.keywords:
            self._add(node, self._dcat.keyword, self._literal(word))
        self._who(node, told)
        self._when(node, told)
        if told.theme is not None:
            self._add(node, self._dcat.theme, self._concept("theme", told.theme))
        rights = "PUBLIC" if told.public and told.opened is None else rules.RIGHTS[told.opened or "none"]
        self._add(node, dct.accessRights, self._typed(self.iri(f"{rules.AUTHORITY}access-right/{rights}"), dct.RightsStatement))
        for url, predicate in ((told.landing_page, self._dcat.landingPage), (told.source_url, self._foaf.page)):
            page = rules.address(url)
            if page is not None:
                self._add(node, predicate, self._typed(self.iri(page), self._foaf.Document))
        self._more(node, told)
        for i, way in enumerate(ways):
            self._distribution(node, i, way, told, catalogue)
        return node

    def _who(self, node: "URIRef", told: Dataset) -> None:
        if told.owner is not None:
            self._add(node, self._dct.publisher, self._organisation(told.owner))
        elif told.publisher:
            self._add(node, self._dct.publisher, self._agent(node, {"": told.publisher}))
        if told.contact and "@" in told.contact:
            card = self._typed(self.iri(f"{node}#contact"), self._vcard.Kind)
            self._add(card, self._vcard.fn, self._literal(told.contact))
            self._add(card, self._vcard.hasEmail, self.iri_raw(f"mailto:{quote(told.contact, safe='@')}"))
            self._add(node, self._dcat.contactPoint, card)

    def _when(self, node: "URIRef", told: Dataset) -> None:
        from rdflib import Literal

        term = self.iri(f"{rules.AUTHORITY}frequency/{rules.frequency(told.frequency_seconds)}")
        self._add(node, self._dct.accrualPeriodicity, self._typed(term, self._dct.Frequency))
        times = ((self._dct.issued, told.issued or told.entered_at), (self._dct.modified, told.modified or told.changed_at))
        for predicate, time in times:
            if len(time) == 10:
                self._add(node, predicate, Literal(time, datatype=self._xsd.date))
            elif time:
                self._add(node, predicate, Literal(time, datatype=self._xsd.dateTime))

    def _more(self, node: "URIRef", told: Dataset) -> None:
        """Series, high value, and quality where it was measured."""
        from rdflib import Literal

        if told.series is not None:
            series = self._typed(self.iri(f"series/{quote(told.series, safe='')}"), self._dcat.DatasetSeries)
            for predicate in (self._dct.title, self._dct.description):
                self._add(series, predicate, self._literal(told.series))
            self._add(node, self._dcat.inSeries, series)
        if told.high_value is not None:
            category = self.iri(f"http://data.europa.eu/bna/{rules.HVD[told.high_value]}")
            self._add(category, self._skos.prefLabel, self._literal(told.high_value, "en"))
            self._add(node, self._dcatap.hvdCategory, self._typed(category, self._skos.Concept))
            law = self._typed(self.iri(rules.HVD_LAW), self.iri("http://data.europa.eu/eli/ontology#LegalResource"))
            self._add(node, self._dcatap.applicableLegislation, law)
        if told.score is not None:
            measured = self._typed(self.iri(f"{node}#quality"), self._dqv.QualityMeasurement)
            self._add(measured, self._dqv.value, Literal(str(told.score), datatype=self._xsd.decimal))
            self._add(node, self._dqv.hasQualityMeasurement, measured)

    def _distribution(self, of: "URIRef", i: int, way: Distribution, told: Dataset, catalogue: "Node | None") -> None:
        url = way.url if way.url.startswith("/") else rules.address(way.url)
        if url is None:
            return
        node = self._typed(self.iri(f"{of}#distribution-{i}"), self._dcat.Distribution)
        self._add(of, self._dcat.distribution, node)
        self._texts(node, self._dct.title, way.title or {"en": way.format or "data"})
        access = self._typed(self.iri(url), self.iri("http://www.w3.org/2000/01/rdf-schema#Resource"))
        self._add(node, self._dcat.accessURL, access)
        term = rules.file_type(way.format)
        if term is not None:
            kind = self._typed(self.iri(f"{rules.AUTHORITY}file-type/{term}"), self._dct.MediaTypeOrExtent)
            self._add(node, self._dct["format"], kind)
        if way.media_type:
            media = self.iri(f"https://www.iana.org/assignments/media-types/{quote(way.media_type, safe='/+.-')}")
            self._add(node, self._dcat.mediaType, self._typed(media, self._dct.MediaType))
        licence = way.licence or told.licence
        if licence:
            self._add(node, self._dct.license, self._licence(node, licence))
        if way.bytes is not None:
            self._add(node, self._dcat.byteSize, self._number(way.bytes))
        if way.service:
            self._service(of, node, url, way, catalogue)
        else:
            self._add(node, self._dcat.downloadURL, access)

    def _service(self, of: "URIRef", way: "Node", url: str, told: Distribution, catalogue: "Node | None") -> None:
        service = self._typed(self.iri(f"{of}#service-{quote(told.format.lower(), safe='')}"), self._dcat.DataService)
        self._texts(service, self._dct.title, told.title or {"en": told.format or "API"})
        endpoint = self._typed(self.iri(url), self.iri("http://www.w3.org/2000/01/rdf-schema#Resource"))
        self._add(service, self._dcat.endpointURL, endpoint)
        self._add(service, self._dcat.servesDataset, of)
        self._add(way, self._dcat.accessService, service)
        if catalogue is not None:
            self._add(catalogue, self._dcat.service, service)

    def _licence(self, node: "URIRef", licence: str) -> "Node":
        page = rules.address(licence)
        document = self._typed(self.iri(page or f"{node}-licence"), self._dct.LicenseDocument)
        if page is None:
            self._add(document, self._dct.title, self._literal(licence))
        return document

    def _concept(self, scheme: str, name: str) -> "Node":
        concept = self._typed(self.iri(f"{scheme}/{quote(name, safe='')}"), self._skos.Concept)
        self._add(concept, self._skos.prefLabel, self._literal(name, "zh" if any(ord(c) > 0x2E80 for c in name) else "en"))
        return concept

    def _organisation(self, name: str) -> "Node":
        agent = self._typed(self.iri(f"organization/{quote(name, safe='')}"), self._foaf.Agent)
        self._texts(agent, self._foaf.name, self._house.organisations.get(name) or {"": name})
        return agent

    def _agent(self, node: "URIRef", title: dict[str, str]) -> "Node":
        agent = self._typed(self.iri(f"{node}#publisher"), self._foaf.Agent)
        self._texts(agent, self._foaf.name, title)
        return agent

    def _paging(self, node: "URIRef", page: Mapping[str, Any]) -> None:
        view = self._typed(self.iri(page["here"]), self._hydra.PartialCollectionView)
        self._add(node, self._rdf.type, self._hydra.Collection)
        self._add(node, self._hydra.totalItems, self._number(page["total"]))
        self._add(node, self._hydra.view, view)
        for key in ("first", "next"):
            if page.get(key):
                self._add(view, self._hydra[key], self.iri(page[key]))

    def _typed(self, node: "URIRef", kind: "Node") -> "URIRef":
        self._add(node, self._rdf.type, kind)
        return node

    def _texts(self, node: "Node", predicate: "Node", texts: Mapping[str, str]) -> None:
        for language, text in texts.items():
            if text and text.strip():
                self._add(node, predicate, self._literal(text, language or None))

    def _add(self, subject: "Node", predicate: "Node", value: "Node") -> None:
        self.graph.add((subject, predicate, value))

    @staticmethod
    def iri_raw(text: str) -> "URIRef":
        """An address that is no web address."""
        from rdflib import URIRef

        return URIRef(text)

    @staticmethod
    def _literal(text: str, language: str | None = None) -> "Node":
        from rdflib import Literal

        return Literal(rules.literal(text), lang=language)

    def _number(self, value: int) -> "Node":
        from rdflib import Literal

        return Literal(str(value), datatype=self._xsd.nonNegativeInteger)
