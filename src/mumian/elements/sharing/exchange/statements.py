"""A job as SQL: what is read of a chunk, which conditions its rules are, and how its columns are written."""

from collections.abc import Callable, Mapping, Sequence

from mumian.elements.protection.api import Mask as GateMask
from mumian.elements.protection.api import masked, type_after
from mumian.elements.sharing.exchange import patterns
from mumian.elements.sharing.exchange.contracts import Field, Job, Mask, Rule

SQL_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIMESTAMP",
}
NUMBER = "_number"
MEANT = "_meant"
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def quoted(name: str) -> str:
    """A quoted SQL name."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def type_rules(job: Job, types: dict[str, str]) -> list[Rule]:
    """The rules `type`, of fields whose column has another type than theirs; `types` are those of the source's columns."""
    other = [field for field in job.fields if types[field.column] != SQL_TYPES[field.type]]
    return [Rule(name=f"type:{field.name}", kind="required", fields=(field.name,)) for field in other]


def conditions(job: Job, types: dict[str, str], compiled: bool) -> list[str]:
    """A condition for each rule of the job and then for each type rule, in this order, over what `reading` gives."""
    kinds = {field.name: field.type for field in job.fields}
    found = [_condition(rule, number, kinds, compiled) for number, rule in enumerate(job.rules)]
    return found + [f"{quoted('_fits ' + rule.fields[0])}" for rule in type_rules(job, types)]


def reading(job: Job, types: dict[str, str], relation: str, number: str, where: str, meant: str) -> str:
    """The SELECT that gives of `relation` the fields of the job, typed, with the row's number and whether it is meant at all."""
    columns = [f"{number} AS {NUMBER}", f"{meant or 'true'} AS {MEANT}"]
    for field in job.fields:
        column = quoted(field.column)
        if types[field.column] == SQL_TYPES[field.type]:
            columns.append(f"{column} AS {quoted(field.name)}")
            continue
        typed = f"TRY_CAST({column} AS {SQL_TYPES[field.type]})"
        columns += [
            f"{typed} AS {quoted(field.name)}",
            f"({column} IS NULL OR {typed} IS NOT NULL) AS {quoted('_fits ' + field.name)}",
        ]
    bounds = " AND ".join(part for part in (where, f"({meant})" if meant else "") if part)
    return f"SELECT {', '.join(columns)} FROM {relation}" + (f" WHERE {bounds}" if bounds else "")


def writing(job: Job, select: str, rules: Sequence[str]) -> str:
    """The SELECT that writes the rows of `select` which the judge lets through."""
    columns = ", ".join(f"{_shown(job, field)} AS {quoted(field.name)}" for field in job.fields if not field.omit)
    arguments = ", ".join([NUMBER, MEANT, *rules])
    return f"SELECT {columns} FROM ({select}) AS rows_read WHERE mumian_judge({arguments})"


def copying(job: Job, select: str, path: str) -> str:
    """The statement that writes a part. The second version of Parquet and little of zstd cost least for what they save."""
    level = ", COMPRESSION_LEVEL 1" if job.compression == "zstd" else ""
    options = f"FORMAT parquet, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 500, COMPRESSION {job.compression}{level}"
    return f"COPY ({select}) TO {literal(path)} ({options})"


def written_types(job: Job) -> list[tuple[str, str, str]]:
    """Of each column that is written: name, type, and how it is shown."""
    return [(field.name, _written(field), field.how) for field in job.fields if not field.omit]


def token_function(key: int, algorithm: str, column: str) -> str:
    """The token of a column as SQL; keys are numbered, their bytes are variables and stand in no statement."""
    if algorithm == "sm3":
        return f"mumian_token_{key}({column})"
    inner, outer = f"getvariable('token_{key}_i')", f"getvariable('token_{key}_o')"
    return f"sha256({outer} || unhex(sha256({inner} || encode({column}))))"


def token_keys(job: Job) -> list[str]:
    """The names of the keys that the job needs, in the order of their numbers."""
    return sorted({field.token for field in job.fields if field.token is not None and not field.omit})


def _shown(job: Job, field: Field) -> str:
    column = quoted(field.name)
    if field.token is not None:
        text = column if field.type == "text" else f"CAST({column} AS VARCHAR)"
        return token_function(token_keys(job).index(field.token), job.tokens, text)
    return column if field.mask is None else masked(_gate(field.mask), column, field.type)


def _written(field: Field) -> str:
    if field.token is not None:
        return "text"
    return field.type if field.mask is None else type_after(_gate(field.mask), field.type)


def _gate(mask: Mask) -> GateMask:
    return GateMask(mask.method, mask.first, mask.last, mask.value)


def _condition(rule: Rule, number: int, kinds: Mapping[str, str], compiled: bool) -> str:
    if rule.kind == "required":
        return _required(quoted(rule.fields[0]), kinds[rule.fields[0]])
    if rule.kind == "id_card" and compiled:
        return f"mumian_id_card({quoted(rule.fields[0])})"
    if rule.kind == "pattern" and compiled and patterns.table(rule.pattern) is not None:
        return f"mumian_pattern_{number}({quoted(rule.fields[0])})"
    return _CONDITIONS[rule.kind](rule, quoted(rule.fields[0]), number)


def _required(v: str, type_: str) -> str:
    return f"coalesce(strlen({v}), 0) > 0" if type_ == "text" else f"{v} IS NOT NULL"


def _range(rule: Rule, v: str, number: int) -> str:
    bounds = ((">=", rule.minimum), ("<=", rule.maximum))
    return f"({' AND '.join(f'{v} {sign} {bound!r}' for sign, bound in bounds if bound is not None)})"


def _id_card(v: str) -> str:
    total = " + ".join(f"{weight} * (ascii(substr({v}, {i + 1}, 1)) - 48)" for i, weight in enumerate(_WEIGHTS))
    check = f"substr('10X98765432', 1 + CAST(({total}) % 11 AS INTEGER), 1) = substr({v}, 18, 1)"
    born = f"try_strptime(substr({v}, 7, 8), '%Y%m%d') IS NOT NULL AND substr({v}, 7, 4) BETWEEN '1800' AND '2099'"
    return f"({v} IS NULL OR (regexp_full_match({v}, '[1-9][0-9]{{16}}[0-9X]') AND {born} AND {check}))"


def _credit_code(v: str) -> str:
    """GB 32100-2015: the check character of ISO 7064 MOD 31 over weights 3^i."""
    total = " + ".join(f"{pow(3, i, 31)} * (strpos('{_CREDIT}', substr({v}, {i + 1}, 1)) - 1)" for i in range(17))
    shape = rf"regexp_full_match({v}, '[159AEYNX][0-9A-HJ-NP-RTUWXY]\d{{6}}[0-9A-HJ-NP-RTUWXY]{{10}}')"
    check = f"substr('{_CREDIT}', CAST(1 + (31 - ({total}) % 31) % 31 AS INTEGER), 1) = substr({v}, 18, 1)"
    return f"({v} IS NULL OR ({shape} AND {check}))"


_CONDITIONS: dict[str, Callable[[Rule, str, int], str]] = {
    "id_card": lambda rule, v, number: _id_card(v),
    "credit_code": lambda rule, v, number: _credit_code(v),
    "pattern": lambda rule, v, number: f"regexp_full_match({v}, {literal(rule.pattern)})",
    "range": _range,
    "codes": lambda rule, v, number: f"{v} IN ({', '.join(literal(code) for code in rule.codes)})",
    "order": lambda rule, v, number: f"{v} <= {quoted(rule.fields[1])}",
    "reference": lambda rule, v, number: f"({v} IS NULL OR {v} IN (SELECT value FROM reference_{number}))",
    "unique": lambda rule, v, number: "true",  # the rows that break it are listed before
}
