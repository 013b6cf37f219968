"""Pages: plain HTML for people who open an address of the face in a browser."""

from collections.abc import Sequence
from html import escape
from typing import Any

import msgspec

from mumian.foundation.spatial.features.queries import Row
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.ogc.request import Ask

_WORDS = {
    "collections": {"zh": "图层", "en": "Layers"},
    "items": {"zh": "要素", "en": "Features"},
    "matched": {"zh": "共 {count} 个要素", "en": "{count} features in all"},
    "next": {"zh": "下一页", "en": "Next page"},
    "id": {"zh": "编号", "en": "Id"},
    "geometry": {"zh": "几何", "en": "Geometry"},
    "version": {"zh": "版本", "en": "Version"},
    "home": {"zh": "时空底座", "en": "Spatial base"},
    "definition": {"zh": "接口定义", "en": "API definition"},
    "conformance": {"zh": "符合的标准", "en": "Conformance"},
}
_MOST_COLUMNS = 12


def word(ask: Ask, name: str, **values: Any) -> str:
    """A word of the pages in the reader's language."""
    return _WORDS[name][ask.language].format(**values)


def page(ask: Ask, title: str, body: str) -> str:
    """A whole page."""
    home = f'<p><a href="{escape(ask.url("", f="html"))}">{escape(word(ask, "home"))}</a></p>'
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    lang = "zh-CN" if ask.language == "zh" else "en"
    return f'<!doctype html><html lang="{lang}"><head>{head}</head><body>{home}<h1>{escape(title)}</h1>{body}</body></html>'


def document_page(ask: Ask, title: str, content: Any) -> str:
    """A JSON document as nested lists, its addresses as links."""
    return page(ask, title, _value(content))


def _value(content: Any) -> str:
    if isinstance(content, dict):
        rows = "".join(f"<dt>{escape(str(key))}</dt><dd>{_value(value)}</dd>" for key, value in content.items())
        return f"<dl>{rows}</dl>"
    if isinstance(content, list):
        return "<ul>" + "".join(f"<li>{_value(value)}</li>" for value in content) + "</ul>"
    text = escape("" if content is None else str(content))
    return f'<a href="{text}">{text}</a>' if text.startswith(("http://", "https://")) else text


def items_page(
    ask: Ask, title: dict[str, str], table: Table, rows: Sequence[Row], matched: int, links: Sequence[dict[str, str]]
) -> str:
    """A table of features."""
    names = list(table.columns)[:_MOST_COLUMNS]
    head = "".join(f"<th>{escape(name)}</th>" for name in [word(ask, "id"), *names])
    lines = []
    for row in rows:
        values = msgspec.json.decode(row.properties)
        address = ask.url(f"/collections/{ask.collection}/items/{row.id}", f="html")
        cells = "".join(f"<td>{escape(_short(values.get(name)))}</td>" for name in names)
        lines.append(f'<tr><td><a href="{escape(address)}">{escape(row.id)}</a></td>{cells}</tr>')
    following = next((link["href"] for link in links if link["rel"] == "next"), None)
    more = f'<p><a rel="next" href="{escape(following)}">{escape(word(ask, "next"))}</a></p>' if following else ""
    count = f"<p>{escape(word(ask, 'matched', count=matched))}</p>"
    return page(ask, title[ask.language], f"{count}<table><tr>{head}</tr>{''.join(lines)}</table>{more}")


def feature_page(ask: Ask, title: dict[str, str], row: Row) -> str:
    """One feature."""
    content = {word(ask, "version"): row.version, **msgspec.json.decode(row.properties)}
    content[word(ask, "geometry")] = None if row.geometry is None else str(row.geometry)[:2000]
    return page(ask, f"{title[ask.language]} · {row.id}", _value(content))


def _short(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text[:80]
