"""Whether a job makes sense: every fault at once, before anything runs."""

from collections.abc import Iterator

from mumian.elements.sharing.exchange.contracts import MOST_RULES, Field, FileSource, Job, Rule
from mumian.kernel.errors import Fault, Invalid

_TEXT_KINDS = ("id_card", "credit_code", "pattern", "codes")
_MOST_CODES = 100_000


def check(job: Job) -> None:
    """Raise Invalid with every fault of a job."""
    faults = [*_about_fields(job), *_about_rules(job), *_about_the_rest(job)]
    if faults:
        raise Invalid(*faults)


def _about_the_rest(job: Job) -> Iterator[Fault]:
    if not 0 <= job.most_rejected <= 1:
        yield Fault("most_rejected", "field.range", {"expected": "0 … 1"})
    if not 1000 <= job.chunk_rows <= 5_000_000:
        yield Fault("chunk_rows", "field.range", {"expected": "1,000 … 5,000,000"})
    if isinstance(job.source, FileSource) and not job.source.paths:
        yield Fault("source.paths", "field.missing", {})
    if len(job.rules) + len(job.fields) > MOST_RULES:
        yield Fault("rules", "field.length", {"expected": f"rules and fields together ≤ {MOST_RULES}"})


def _about_fields(job: Job) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, field in enumerate(job.fields):
        where = f"fields[{index}]"
        if field.name.casefold() in seen or not field.name or field.name.startswith("_"):
            yield Fault(f"{where}.name", "field.choice", {"expected": "a name of its own that does not begin with _"})
        seen.add(field.name.casefold())
        if field.mask is not None and field.token is not None:
            yield Fault(f"{where}.token", "field.choice", {"expected": "either mask or token"})
    if all(field.omit for field in job.fields):
        yield Fault("fields", "field.missing", {})


def _about_rules(job: Job) -> Iterator[Fault]:
    fields = {field.name: field for field in job.fields}
    seen: set[str] = set()
    for index, rule in enumerate(job.rules):
        where = f"rules[{index}]"
        if rule.name in seen or not rule.name or any(sign in rule.name for sign in ',"\n\r') or rule.name.startswith("type:"):
            yield Fault(f"{where}.name", "field.choice", {"expected": "a name of its own without comma, quote or line break"})
        seen.add(rule.name)
        unknown = [name for name in rule.fields if name not in fields]
        if unknown or not rule.fields:
            yield Fault(f"{where}.fields", "field.reference", {"kind": "field", "name": ", ".join(unknown)})
        else:
            yield from _about_kind(where, rule, fields)


def _about_kind(where: str, rule: Rule, fields: dict[str, Field]) -> Iterator[Fault]:
    first = fields[rule.fields[0]]
    wanted = {"order": 2}.get(rule.kind, 1)
    if rule.kind != "unique" and len(rule.fields) != wanted:
        yield Fault(f"{where}.fields", "field.length", {"expected": str(wanted)})
    if rule.kind in _TEXT_KINDS and first.type != "text":
        yield Fault(f"{where}.fields", "field.type", {"expected": "text"})
    if rule.kind == "range" and first.type not in ("integer", "number"):
        yield Fault(f"{where}.fields", "field.type", {"expected": "integer, number"})
    if rule.kind == "order" and len(rule.fields) == 2 and first.type != fields[rule.fields[1]].type:
        yield Fault(f"{where}.fields", "field.type", {"expected": "two fields of one type"})
    needed = {
        "pattern": bool(rule.pattern),
        "range": rule.minimum is not None or rule.maximum is not None,
        "codes": 0 < len(rule.codes) <= _MOST_CODES,
        "reference": rule.reference is not None,
    }
    if not needed.get(rule.kind, True):
        names = {"range": "minimum"}
        yield Fault(f"{where}.{names.get(rule.kind, rule.kind)}", "field.missing", {})
    if rule.kind == "pattern" and not _compiles(rule.pattern):
        yield Fault(f"{where}.pattern", "field.syntax", {"reason": "no regular expression (RE2)"})


def _compiles(pattern: str) -> bool:
    import re2  # type: ignore[import-untyped]

    try:
        re2.compile(pattern)
    except re2.error:
        return False
    return True
