"""Standard addresses for other components: `platform.get(Addresses)` parses, matches, geocodes, and knows their history."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock
from typing import TextIO

from mumian.foundation.addresses import store
from mumian.foundation.addresses.contracts import (
    Candidate,
    Element,
    ImportReport,
    Match,
    ParsedAddress,
    Place,
    RowFault,
    StandardAddress,
)
from mumian.foundation.addresses.divisions import names as division_names
from mumian.foundation.addresses.learning.training import Trained, train_file
from mumian.foundation.addresses.service import finding, importing
from mumian.foundation.addresses.service.finding import Located, Near
from mumian.foundation.addresses.service.parsing import Parser, make_parser
from mumian.foundation.addresses.settings import AddressSettings
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Session

__all__ = [
    "Addresses",
    "Candidate",
    "Element",
    "ImportReport",
    "Located",
    "Match",
    "Near",
    "ParsedAddress",
    "Place",
    "RowFault",
    "StandardAddress",
    "Trained",
    "division_names",
]


class Addresses:
    """The city's library of standard addresses 标准地址库; thread-safe.

    Dates are ISO days such as `2014-01-02`; without one, today on the platform's clock. Points are WGS 84 degrees.
    """

    def __init__(self, platform: Platform, settings: AddressSettings | None = None) -> None:
        self.settings = settings or AddressSettings()
        self._platform = platform
        self._lock = RLock()
        self._parser: Parser | None = None
        self._revision = -1

    @property
    def models(self) -> Path:
        """The folder in which trained models lie."""
        return self._platform.home / "addresses"

    def today(self) -> str:
        """The day on the platform's clock, in UTC."""
        return iso(self._platform.clock.now())[:10]

    def parser(self) -> Parser:
        """The parser in use; made anew after declarations changed. Reads records: not for the event loop's thread."""
        with self._lock:
            revision = self._platform.declarations.revision
            if self._parser is None or self._revision != revision:
                aliases = self._platform.records.read_now(lambda session: store.aliases(session, "division"))
                city = self._platform.get(Spatial).city()
                home = [city.code[:length] for length in (4, 2)] if city else []
                model = self.models / self.settings.model if self.settings.model else None
                self._parser = make_parser([(row["alias"], row["name"]) for row in aliases], home, model)
                self._revision = revision
            return self._parser

    def parse(self, text: str) -> ParsedAddress:
        """Take an address apart; raises Invalid for texts longer than 400 characters."""
        return self.parser().parse(text)

    def match(self, session: Session, text: str, date: str | None = None, limit: int = 5) -> Match:
        """The standard addresses that a text may mean on a day, the best first, each with confidence and reasons."""
        return finding.match(session, self.parse(text), date or self.today(), limit)

    def geocode(self, session: Session, texts: Sequence[str], date: str | None = None) -> list[Located | None]:
        """A point for each text, None where the library knows nothing near it."""
        parser, day = self.parser(), date or self.today()
        return [finding.locate(session, parser.parse(text), day) for text in texts]

    def nearest(self, session: Session, longitude: float, latitude: float, date: str | None = None, limit: int = 5) -> list[Near]:
        """The standard addresses nearest to a point, within about 1.6 km."""
        return finding.nearest(session, longitude, latitude, date or self.today(), limit)

    def find(self, session: Session, code: str, date: str | None = None) -> StandardAddress | None:
        """The address of a code as it holds on a day."""
        return store.current(session, code, date or self.today())

    def train_now(
        self, file: Path, name: str, members: int = 2, rounds: int = 14, tell: Callable[[str], None] = print
    ) -> Trained:
        """Train a parser on the city's own labelled addresses; set MUMIAN_ADDRESS_MODEL to `name` to use it. Takes minutes.

        The file holds `character label` a line (BIO or BIES), an empty line between addresses. Raises BadTraining, Invalid.
        """
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
            raise Invalid.field("name", "field.pattern", expected="[a-z0-9-]")
        return train_file(file, self.models, name, members, rounds, tell)

    def import_now(self, text: TextIO, source: str, actor: Actor = SYSTEM) -> ImportReport:
        """Import a library from CSV, see `service.importing.import_now`; not for the event loop's thread."""
        return importing.import_now(self._platform.records, self.parser(), text, source, self.today(), actor)
