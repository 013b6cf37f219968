"""Casting: SQL expressions (DuckDB) that read the text of a cell as a value of a field's type, or give NULL."""

from collections.abc import Sequence

_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S")
_INSTANTS = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H时%M分%S秒",
    "%Y年%m月%d日%H时%M分",
    "%Y%m%d%H%M%S",
    "%Y.%m.%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y年%m月%d日",
)
_TRUE = "('true', 't', 'yes', 'y', '1', '是', '有', '√', '对')"
_FALSE = "('false', 'f', 'no', 'n', '0', '否', '无', '×', '错')"
_GROUPED = r"'[+-]?\d{1,3}(,\d{3})+(\.\d+)?'"


def text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """A name as an SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


def present(column: str, blanks: Sequence[str]) -> str:
    """The trimmed text of a cell, NULL where it stands for no value."""
    trimmed = f"nullif(trim({column}, ' \t\u3000\u00a0'), '')"
    if not blanks:
        return trimmed
    listed = ", ".join(text(each.strip().casefold()) for each in blanks)
    return f"CASE WHEN lower({trimmed}) IN ({listed}) THEN NULL ELSE {trimmed} END"


def cast(kind: str, cell: str, zone: str) -> str:
    """The value that the trimmed text `cell` means for a field of type `kind`; NULL where it means none. Times become UTC."""
    if kind not in ("text", "json"):
        cell = f"translate({cell}, '０１２３４５６７８９．，－：／', '0123456789.,-:/')"
    match kind:
        case "integer":
            digits = _digits(cell)
            whole = rf"regexp_full_match({digits}, '[+-]?\d+(\.0+)?')"
            return f"CASE WHEN {whole} THEN TRY_CAST(split_part({digits}, '.', 1) AS BIGINT) END"
        case "number":
            shape = rf"regexp_full_match({_digits(cell)}, '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{{1,3}})?')"
            number = f"TRY_CAST({_digits(cell)} AS DOUBLE)"
            return f"CASE WHEN {shape} AND isfinite({number}) THEN {number} END"
        case "boolean":
            return f"CASE WHEN lower({cell}) IN {_TRUE} THEN true WHEN lower({cell}) IN {_FALSE} THEN false END"
        case "date":
            return f"coalesce(CAST(try_strptime({cell}, [{_listed(_DAYS)}]) AS DATE), {_iso_day(cell)})"
        case "time":
            return _instant(cell, zone)
        case "json":
            return f"CASE WHEN json_valid({cell}) THEN {cell} END"
    return cell


def looks(kind: str, cell: str) -> str:
    """The condition that a text reads as a type, for telling the type of a whole column."""
    match kind:
        case "boolean":
            return f"lower({cell}) IN ('true', 'false', 'yes', 'no', '是', '否')"
        case "date":
            return rf"regexp_full_match({cell}, '\d{{4}}([-/.]\d{{1,2}}[-/.]\d{{1,2}}|年\d{{1,2}}月\d{{1,2}}日)')"
        case "time":
            return rf"regexp_full_match({cell}, '\d{{4}}(-|/|年)\d{{1,2}}(-|/|月)\d{{1,2}}日?[T ]?\d{{1,2}}[:时]\d{{2}}.*')"
        case "integer":
            return rf"regexp_full_match({cell}, '[+-]?\d{{1,18}}')"
    return rf"regexp_full_match({cell}, '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{{1,3}})?')"


def _digits(cell: str) -> str:
    return f"CASE WHEN regexp_full_match({cell}, {_GROUPED}) THEN replace({cell}, ',', '') ELSE {cell} END"


def _listed(formats: Sequence[str]) -> str:
    return ", ".join(text(each) for each in formats)


def _iso_day(cell: str) -> str:
    """The day of an ISO instant, as it is written there."""
    return rf"CASE WHEN regexp_matches({cell}, '^\d{{4}}-\d{{2}}-\d{{2}}[T ]') THEN TRY_CAST(substr({cell}, 1, 10) AS DATE) END"


def _instant(cell: str, zone: str) -> str:
    """ISO 8601 with its offset, or in the given zone; other ways of writing are in that zone, too."""
    place = text(zone)
    offset = rf"regexp_matches({cell}, '[T ]\d.*(Z|[+-]\d{{2}}(:?\d{{2}})?)$')"
    absolute = f"timezone('UTC', TRY_CAST({cell} AS TIMESTAMPTZ))"
    local = f"coalesce(TRY_CAST({cell} AS TIMESTAMP), try_strptime({cell}, [{_listed(_INSTANTS)}]))"
    return f"CASE WHEN {offset} THEN {absolute} ELSE timezone('UTC', timezone({place}, {local})) END"
