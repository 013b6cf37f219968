"""Checking: the tree that DuckDB itself reads from rewritten SQL, held against lists of what it may contain.

It is the second lock: whatever two parsers understand differently is refused here, on the very text that will run.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mumian.elements.protection.rules.parsing import bad

_FUNCTIONS = frozenset(
    # operators
    "+ - * / // % ^ ** || & | ~ << >> ~~ !~~ ~~* !~~* ~~~ ^@ -> ->> "
    # texts
    "lower upper length len strlen substr substring left right "
    "trim ltrim rtrim concat concat_ws contains prefix suffix starts_with "
    "ends_with strpos instr position split_part string_split replace regexp_replace regexp_matches regexp_full_match "
    "regexp_extract like_escape ilike_escape not_like_escape not_ilike_escape reverse ascii unicode chr nfc_normalize md5 sha256 "
    "encode unhex hex levenshtein jaro_winkler_similarity translate string_agg listagg group_concat lcase ucase "
    # numbers
    "abs round floor ceil ceiling trunc sign sqrt cbrt exp ln log log2 log10 power pow mod divide least greatest random sin cos "
    "tan asin acos atan atan2 radians degrees pi isnan isinf isfinite add subtract multiply fdiv gcd lcm xor "
    # dates and times
    "year month day hour minute second quarter week dayofweek isodow dayofyear weekday yearweek date_part date_trunc date_diff "
    "datediff date_sub date_add datepart datetrunc strftime strptime try_strptime epoch epoch_ms epoch_us to_timestamp "
    "make_date make_timestamp last_day monthname dayname age current_date get_current_timestamp now today century decade "
    "to_days to_hours to_minutes to_seconds to_months to_years to_weeks extract time_bucket "
    # choices, lists and JSON
    "coalesce ifnull nullif if list_value array_value list_contains array_contains list_extract array_extract "
    "array_length struct_pack row struct_extract "
    "unnest json_extract json_extract_string json_extract_path json_extract_path_text "
    "json_array_length json_type json_valid json_keys array_slice list_slice "
    "map map_from_entries list_sum list_distinct typeof hash "
    # aggregates and windows
    "count count_star sum avg mean min max "
    "median mode quantile quantile_cont quantile_disc approx_quantile approx_count_distinct "
    "stddev stddev_samp stddev_pop variance var_samp var_pop "
    "corr covar_pop covar_samp regr_slope regr_intercept regr_r2 skewness "
    "kurtosis entropy first last any_value arbitrary arg_max arg_min max_by min_by arg_max_null arg_min_null list array_agg "
    "bool_and bool_or bit_and bit_or bit_xor count_if sum_no_overflow "
    "fsum favg product histogram grouping grouping_id row_number "
    "rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value geomean".split()
)
_CLASSES = frozenset(
    "COLUMN_REF CONSTANT FUNCTION SUBQUERY CONJUNCTION COMPARISON BETWEEN CAST CASE OPERATOR PARAMETER STAR WINDOW COLLATE "
    "POSITIONAL_REFERENCE".split()
)
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"})
_SOURCES = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION"})
_TABLE_FUNCTIONS = frozenset({"unnest"})
_GROWING = frozenset({"replace", "regexp_replace"})
_MOST_GROWTH = 1000


def check(answer: Mapping[str, Any], tables: Collection[tuple[str, str]]) -> None:
    """Raise BadQuery unless DuckDB's tree of the SQL is one SELECT that reads only `tables` and calls only known functions.

    Each of `tables` is a database and the name of a table in its schema `main`.
    """
    if answer.get("error"):
        raise bad("protection.sql.syntax", reason=str(answer.get("error_message", ""))[:200])
    statements = answer["statements"]
    if len(statements) != 1:
        raise bad("protection.sql.select")
    nodes = list(_nodes(statements))
    ctes = {entry["key"].casefold() for node in nodes for entry in (node.get("cte_map") or {}).get("map", ())}
    growth = 1
    for node in nodes:
        _node(node)
        if "function_name" in node:
            growth *= _function(node)
        if node.get("type") == "BASE_TABLE":
            _table(node, tables, ctes)
        if "from_table" in node:
            _query(node)
    if growth > _MOST_GROWTH:
        raise bad("protection.sql.growth")


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree, without recursion: it may be deep."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _node(node: Mapping[str, Any]) -> None:
    class_ = node.get("class")
    if class_ is not None and class_ not in _CLASSES:
        raise bad("protection.sql.construct", construct=str(class_))
    if class_ == "STAR" and node.get("columns"):
        raise bad("protection.sql.construct", construct="COLUMNS")
    if "query_location" in node and "sample" in node and node["type"] not in _SOURCES:
        raise bad("protection.sql.construct", construct=str(node["type"]))
    if node.get("type") == "TABLE_FUNCTION" and str(node["function"]["function_name"]).casefold() not in _TABLE_FUNCTIONS:
        raise bad("protection.sql.function", name=str(node["function"]["function_name"]))


def _query(node: Mapping[str, Any]) -> None:
    if node["type"] not in _NODES:
        raise bad("protection.sql.construct", construct=str(node["type"]))
    source = node["from_table"]
    if source is not None and source["type"] not in _SOURCES:
        raise bad("protection.sql.construct", construct=str(source["type"]))


def _function(node: Mapping[str, Any]) -> int:
    """Check a function; returns how many times longer than what goes in its answer can be."""
    name = str(node["function_name"]).casefold()
    if name not in _FUNCTIONS or node.get("schema") not in ("", "main", None) or node.get("catalog") not in ("", "system", None):
        raise bad("protection.sql.function", name=name)
    if name not in _GROWING:
        return 1
    given = [child for child in node["children"][1:3] if child["class"] == "CONSTANT"]
    if len(given) < 2:
        raise bad("protection.sql.growth")
    pattern, replacement = (len(str(child["value"].get("value") or "")) for child in given)
    return 1 if name == "replace" and replacement <= pattern else 1 + replacement


def _table(node: Mapping[str, Any], tables: Collection[tuple[str, str]], ctes: Collection[str]) -> None:
    where, name = (node["catalog_name"], node["schema_name"]), node["table_name"]
    known = (where[1] == "main" and (where[0], name) in tables) or (where == ("", "") and name.casefold() in ctes)
    if not known or node.get("at_clause") is not None:
        raise bad("protection.sql.table", name=name)
