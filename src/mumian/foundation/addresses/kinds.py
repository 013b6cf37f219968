"""The kind AddressAlias 地名别名: a former or other name of a division, road, compound or community."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from pydantic import Field

from mumian.foundation.addresses import store
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Change, Kind, Spec
from mumian.kernel.errors import Fault
from mumian.kernel.unit_of_work import Transaction


class AddressAliasSpec(Spec):
    """What people also call something; with `until`, what it was called before that day."""

    element: Literal["division", "road", "poi", "community"] = Field(description="What has the name.")
    aliases: list[str] = Field(min_length=1, max_length=50, description="The other names.")
    name: str = Field(
        min_length=1, max_length=60, description="The standard name; for a division its code of 2, 4, 6 or 9 digits."
    )
    within: str = Field("", pattern=r"^([0-9]{6})?$", description="The district in which this holds; empty: everywhere.")
    until: date | None = Field(None, description="The first day on which the aliases were former names.")


def _check(document: Document, spec: Any, _: Catalogue) -> Iterable[Fault]:
    if spec.element == "division" and not (spec.name.isascii() and spec.name.isdigit() and len(spec.name) in (2, 4, 6, 9)):
        yield document.fault("spec.name", "addresses.division_code")
    for index, alias in enumerate(spec.aliases):
        if not 1 < len(alias) <= 60:
            yield document.fault(f"spec.aliases[{index}]", "field.length", expected="2–60")


def _apply(tx: Transaction, change: Change) -> None:
    origin = f"AddressAlias/{change.name}"
    store.drop_aliases(tx.session, origin)
    if change.new is None:
        return
    spec: AddressAliasSpec = change.new.spec
    until = spec.until.isoformat() if spec.until else ""
    common = {"element": spec.element, "within": spec.within, "name": spec.name, "until": until, "origin": origin}
    for alias in spec.aliases:
        store.put_alias(tx.session, common | {"alias": alias})


KINDS = [Kind("AddressAlias", AddressAliasSpec, "Former and other names of divisions, roads and compounds.", _check, _apply)]
