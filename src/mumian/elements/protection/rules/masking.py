"""Masks and tokens as SQL expressions over a column, and the masks that hold where nothing else is said."""

from mumian.elements.protection.contracts import Mask

NOTHING = Mask("null")
# What people know of such values from their own papers and bills: enough to recognise, too little to find.
BY_CATEGORY = {
    "id_card": Mask("keep", 3, 2),
    "phone": Mask("keep", 3, 4),
    "bank_card": Mask("keep", 0, 4),
    "name": Mask("keep", 1, 0),
    "address": Mask("keep", 6, 0),
    "email": Mask("keep", 1, 4),
    "plate": Mask("keep", 2, 1),
    "passport": Mask("keep", 1, 2),
    "coordinates": Mask("round", 2),
}
_TEXTUAL = ("text", "json")


def default_mask(type_: str, category: str | None) -> Mask:
    """The mask of a personal field: by its category, the year of a date or time, otherwise nothing is shown."""
    if category == "coordinates":
        return BY_CATEGORY[category] if type_ == "number" else NOTHING
    if category in BY_CATEGORY and type_ in ("text", "integer"):
        return BY_CATEGORY[category]
    return Mask("year") if type_ in ("date", "time") else NOTHING


def masked(mask: Mask, column: str, type_: str) -> str:
    """The SQL of a masked column; `column` is a quoted name. The parameters `$mumian_i` and `$mumian_o` key a hash."""
    text = column if type_ in _TEXTUAL else f"CAST({column} AS VARCHAR)"
    if mask.method == "keep":
        return _kept(text, mask.first, mask.last)
    if mask.method == "hash":
        return token(column, type_, "mumian_hash")
    if mask.method == "year":
        return f"year({column})" if type_ in ("date", "time") else f"substr({text}, 1, 4)"
    if mask.method == "constant":
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE {literal(mask.value)} END"
    if mask.method == "division":
        return f"substr(substr({text}, 1, {mask.first}) || '{'0' * 24}', 1, length({text}))"
    if mask.method == "round" and type_ in ("number", "integer"):
        return f"round({column}, {mask.first})"
    return "CAST(NULL AS VARCHAR)"


def token(column: str, type_: str, key: str) -> str:
    """HMAC-SHA-256 (RFC 2104) of the value as UTF-8 text, in hexadecimal; `$key_i` and `$key_o` are the padded keys."""
    text = column if type_ in _TEXTUAL else f"CAST({column} AS VARCHAR)"
    return f"sha256(${key}_o || unhex(sha256(${key}_i || encode({text}))))"


def type_after(mask: Mask, type_: str) -> str:
    """The type of a masked column."""
    if mask.method == "year":
        return "integer" if type_ in ("date", "time") else "text"
    return type_ if mask.method == "round" else "text"


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A quoted SQL name."""
    return '"' + name.replace('"', '""') + '"'


def _kept(text: str, first: int, last: int) -> str:
    head = f"substr({text}, 1, {first}) || " if first else ""
    tail = f" || substr({text}, length({text}) - {last - 1}, {last})" if last else ""
    shown = f"{head}'****'{tail}"
    return f"CASE WHEN {text} IS NULL THEN NULL WHEN length({text}) > {first + last} THEN {shown} ELSE '****' END"
