"""Rules of the faces: which serialisation a reader prefers, which terms of the EU's vocabularies stand for ours, safe texts."""

import re
from urllib.parse import quote, urlsplit

TYPES = {"ttl": "text/turtle", "jsonld": "application/ld+json", "rdf": "application/rdf+xml"}
HTML = "text/html"
AUTHORITY = "http://publications.europa.eu/resource/authority/"
HVD_LAW = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
HVD = {
    "geospatial": "c_ac64a52d",
    "earth-observation": "c_dd313021",
    "meteorological": "c_164e0bf5",
    "statistics": "c_e1da4e07",
    "companies": "c_a9135398",
    "mobility": "c_b79e35eb",
}
RIGHTS = {"unconditional": "PUBLIC", "conditional": "RESTRICTED", "none": "NON_PUBLIC"}
FILE_TYPES = {"CSV", "GEOJSON", "JSON", "JSON_LD", "PARQUET", "PDF", "RDF_XML", "RDF_TURTLE", "SHP", "XLS", "XLSX", "XML", "ZIP"}
_DAY = 86_400
_PACES = (
    (3_600, "HOURLY"),
    (_DAY, "DAILY"),
    (7 * _DAY, "WEEKLY"),
    (31 * _DAY, "MONTHLY"),
    (92 * _DAY, "QUARTERLY"),
    (184 * _DAY, "ANNUAL_2"),
    (366 * _DAY, "ANNUAL"),
)
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IRI_SAFE = "!#$%&'()*+,/:;=?@[]~"


def preferred(accept: str) -> str | None:
    """The media type a reader likes best of those offered; Turtle where nothing is asked for; None where nothing fits."""
    offered = [*TYPES.values(), HTML]
    best: tuple[float, int, str] | None = None
    for part in (accept or "*/*").split(",")[:50]:
        media, _, rest = part.strip().partition(";")
        found = re.search(r"q=([0-9.]+)", rest)
        try:
            quality = float(found[1]) if found else 1.0
        except ValueError:
            quality = 0.0
        for i, each in enumerate(offered):
            fits = media in {each, "*/*"} or (media.endswith("/*") and each.startswith(media[:-1]))
            if fits and quality > 0 and (best is None or (quality, -i) > best[:2]):
                best = (quality, -i, each)
    return None if best is None else best[2]


def frequency(seconds: int | None) -> str:
    """The term of the EU's frequency list for data updated every so many seconds."""
    if seconds is None:
        return "IRREG"
    if seconds < 1_800:
        return "UPDATE_CONT"
    return next((term for most, term in _PACES if seconds <= most), "OTHER")


def file_type(name: str) -> str | None:
    """The term of the EU's list of file types for the name of a format, where it has one."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    known = {"JSONLD": "JSON_LD", "TTL": "RDF_TURTLE", "RDF": "RDF_XML"}.get(plain, plain)
    return known if known in FILE_TYPES else None


def literal(text: str) -> str:
    """A text without the characters that no XML can hold."""
    return _UNFIT.sub("\ufffd", text)


def address(url: str | None) -> str | None:
    """A web address whose characters may all stand in an IRI; None for what is no web address."""
    if not url:
        return None
    made = quote(url.strip(), safe=_IRI_SAFE)
    try:
        parts = urlsplit(made)
        return made if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None
