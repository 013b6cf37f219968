"""The parser in use: the country's divisions with the city's own aliases, the rules, and a trained model where one is set."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mumian.foundation.addresses.contracts import Element, ParsedAddress, Place
from mumian.foundation.addresses.divisions import former, names, national
from mumian.foundation.addresses.learning.model import Model
from mumian.foundation.addresses.rules import parsing, standard
from mumian.foundation.addresses.rules.divisions import Divisions
from mumian.foundation.addresses.rules.text import plain
from mumian.kernel.errors import Invalid

MOST_CHARACTERS = 400


class Parser:
    """Takes texts apart; thread-safe, since nothing in it changes."""

    def __init__(self, divisions: Divisions, home: Sequence[str] = (), model: Model | None = None) -> None:
        self.divisions = divisions
        self._home = tuple(home)
        self._model = model

    @property
    def method(self) -> str:
        """`rules`, or the name of the trained model."""
        return self._model.name if self._model else "rules"

    def parse(self, text: str) -> ParsedAddress:
        """Take an address apart; raises Invalid for texts longer than 400 characters."""
        if len(text) > MOST_CHARACTERS:
            raise Invalid.field("text", "field.length", expected=f"≤ {MOST_CHARACTERS}")
        clear = plain(text.strip())
        elements, place = parsing.parse(self.divisions, clear, self._home)
        if self._model is not None and elements:
            elements = self._model.elements(clear)
        return ParsedAddress(text, tuple(elements), place, self.standard_of(elements, place), self.method)

    def standard_of(self, elements: Iterable[Element], place: Place) -> str:
        """The standard form of parsed elements."""
        return standard.standard(place, standard.fields(elements))

    def standard_from(self, division: str, fields: Mapping[str, str]) -> str:
        """The standard form of given fields within a division (code of 6 or 9 digits)."""
        return standard.standard(Place(names=self.divisions.chain(division)), fields)


def make_parser(aliases: Iterable[tuple[str, str]] = (), home: Sequence[str] = (), model: Path | None = None) -> Parser:
    """A parser with further names of divisions as (name, code), and the model in a folder."""
    own = list(aliases)
    divisions = Divisions(names(), [*former(), *own]) if own else national()
    return Parser(divisions, home, Model.load(model, divisions) if model else None)
