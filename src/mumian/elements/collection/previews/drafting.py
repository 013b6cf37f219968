"""Drafting: what was confirmed of a preview as declarations of a dataset and its connector."""

import re
from typing import Any

from mumian.kernel.declarations.documents import to_yaml

_TYPES = {"clock": "text", "empty": "text"}


def field_name(header: str, taken: set[str]) -> str:
    """A name of a field made of a column's header: letters, digits and _, beginning with a letter, unlike all others."""
    plain = re.sub(r"\W+", "_", header).strip("_")[:60]
    if not plain or not (plain[0].isalpha()):
        plain = f"f_{plain}".rstrip("_")[:60]
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain[:56]}_{number}"
    taken.add(name.casefold())
    return name


def declarations(told: dict[str, Any], name: str, title: dict[str, str], owner: str, key: list[str], said: set[str]) -> str:
    """A Dataset and a Connector of the same name, as YAML to be looked through, completed and applied.

    `said` names what of the reading a person gave.
    """
    taken: set[str] = set()
    fields, mapped = [], {}
    for column in told["columns"]:
        field = field_name(column["name"], taken)
        mapped[column["name"]] = field
        entry = {"name": field, "type": _TYPES.get(column["type"], column["type"])}
        if field != column["name"]:
            entry["title"] = {"zh": column["name"], "en": column["name"]}
        fields.append(entry)
    spec: dict[str, Any] = {"owner": owner, "fields": fields}
    if key:
        spec["key"] = [mapped.get(each, each) for each in key]
    # Where the header stands, and which table it is, may differ from file to file: only what a person said is kept.
    given = {k: v for k, v in told["reading"].items() if v not in (None, "")}
    reading = {k: v for k, v in given.items() if k in said or k not in ("header", "table")}
    connector: dict[str, Any] = {
        "dataset": name,
        "source": {"kind": "files", "reading": reading},
        "mode": "upsert" if key else "replace",
    }
    renamed = {column: field for column, field in mapped.items() if column != field}
    if renamed:
        connector["fields"] = renamed
    return "".join(
        to_yaml(
            [
                {"kind": "Dataset", "name": name, "title": title, "spec": spec},
                {"kind": "Connector", "name": name, "title": title, "spec": connector},
            ]
        )
    )
