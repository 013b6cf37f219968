"""What an exchange job is told and what it answers: fields, rules, sources, progress and the manifest of what was written."""

from typing import Literal

import msgspec

FieldType = Literal["text", "integer", "number", "boolean", "date", "time"]
RuleKind = Literal["required", "id_card", "credit_code", "pattern", "range", "codes", "order", "unique", "reference"]
Algorithm = Literal["sm3", "sha256"]
MOST_RULES = 60
FORMAT = "mumian-exchange/1"


class Mask(msgspec.Struct, frozen=True, kw_only=True):
    """How a value is shown in place of itself; the methods are those of the gate (`protection.contracts.Mask`), but `hash`."""

    method: Literal["keep", "year", "null", "constant", "division", "round"]
    first: int = 0
    last: int = 0
    value: str = ""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the job: read from the column `source` (empty: of its own name), written as it is unless said otherwise.

    `token` names a key: the HMAC of the value as UTF-8 text is written, in hexadecimal. `omit`: only rules look at it.
    A value that cannot be had as `type` is a fault of the rule `type` of that field.
    """

    name: str
    type: FieldType = "text"
    source: str = ""
    mask: Mask | None = None
    token: str | None = None
    omit: bool = False

    @property
    def column(self) -> str:
        """The column it is read from."""
        return self.source or self.name

    @property
    def how(self) -> str:
        """How it is shown: plain, token, omit, or the method of its mask."""
        if self.omit:
            return "omit"
        return "token" if self.token is not None else self.mask.method if self.mask is not None else "plain"


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Where the values of a reference are: a column of files (Parquet, CSV), or of a table of the lake that the source is in."""

    column: str
    files: tuple[str, ...] = ()
    table: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule for rows; an empty value breaks `required` only.

    `id_card`: GB 11643 (form, date, check character); `credit_code`: GB 32100; `pattern`: the whole value matches (RE2);
    `range`: `minimum` ≤ value ≤ `maximum`; `codes`: one of them; `order`: the first field is not after the second;
    `unique`: the first row with these values stands, later ones break it; `reference`: the value occurs there.
    A row that breaks a rule with `action` reject is not written; with report it is written. Either way the fault is listed.
    """

    name: str
    kind: RuleKind
    fields: tuple[str, ...]
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    codes: tuple[str, ...] = ()
    reference: Reference | None = None
    action: Literal["reject", "report"] = "reject"


class FileSource(msgspec.Struct, frozen=True, kw_only=True, tag="files"):
    """Rows of files with the same columns: Parquet, or CSV in UTF-8 with a header; numbered from 0 through all of them."""

    paths: tuple[str, ...]


class LakeSource(msgspec.Struct, frozen=True, kw_only=True, tag="lake"):
    """Rows of a dataset in the lake, at one of its snapshots; a row's number is its `_id`.

    `condition` is SQL over the table's columns, as the gate gives it.
    """

    dataset: str
    table: str
    condition: str = ""
    snapshot: int = 0


Source = FileSource | LakeSource


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, wholly: the same job over the same source gives the same files, byte for byte.

    `chunk_rows` is how many rows make a chunk, which is a part of its own and a checkpoint. The job stops when more than the
    share `most_rejected` of all rows is rejected. `digest` is the algorithm of the parts' digests, `tokens` that of the tokens.
    """

    id: str
    source: Source
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    most_rejected: float = 0.05
    chunk_rows: int = 1_000_000
    digest: Algorithm = "sha256"
    tokens: Algorithm = "sm3"
    compression: Literal["zstd", "snappy", "uncompressed"] = "zstd"
    purpose: str = ""
    grant: str = ""
    holder: str = ""

    def canonical(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces, UTF-8; the same for a job that was read from it."""
        return msgspec.json.encode(msgspec.convert(msgspec.to_builtins(self), Job), order="sorted")


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """Rows [`first`, `last`) of file number `file` (of the lake: `_id`s); `base` is the number of the file's first row."""

    number: int
    file: int
    first: int
    last: int
    base: int = 0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a source is cut: made once, kept, and followed by every later start; `source` tells whether it is still the same."""

    job: str
    source: str
    rows: int
    chunks: tuple[Chunk, ...]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was written: its name in the job's folder, rows, bytes, and digest in hexadecimal."""

    name: str
    rows: int
    bytes: int
    digest: str


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint: a chunk that is on disk for good. `faults` counts by rule; rows that break two rules count in both."""

    number: int
    read: int
    rejected: int
    faults: dict[str, int]
    part: Part | None
    fault_part: Part | None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What was delivered. `digest` is that of the lines `<digest>  <name>\\n` of all parts in order, as sha256sum prints them.

    `job` is the digest of the job as it was declared; `source` tells what was read, `columns` are [name, type, how shown].
    """

    format: str
    id: str
    job: str
    algorithm: Algorithm
    source: str
    grant: str
    holder: str
    purpose: str
    columns: tuple[tuple[str, str, str], ...]
    rules: dict[str, int]
    read: int
    written: int
    rejected: int
    parts: tuple[Part, ...]
    faults: tuple[Part, ...]
    digest: str

    def canonical(self) -> bytes:
        """Canonical JSON, which is what is signed."""
        return msgspec.json.encode(self, order="sorted")


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is: `stage` planning, uniqueness, rows or ended; rows read and rejected of `total`."""

    stage: str
    total: int = 0
    read: int = 0
    rejected: int = 0
    chunks: int = 0
    done: int = 0
    resumed: int = 0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended: `state` done, stopped (too many faults), cancelled or failed; `reason` in words for people.

    `seconds`, `cpu_seconds` and `peak_bytes` are those of this run alone, as are the `costs` of parts of the work in seconds.
    """

    state: Literal["done", "stopped", "cancelled", "failed"]
    reason: str = ""
    manifest: Manifest | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    resumed: int = 0
    costs: dict[str, float] = {}


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange job as it is kept.

    `state`: queued, running, done, stopped (too many rows break rules), cancelled, failed. `organisation` gives the rows,
    `holder` gets them, `person` asked. `attempts` counts the starts of its process. Times are ISO 8601 UTC texts, empty: not yet.
    """

    id: str
    version: int
    state: str
    job: Job
    dataset: str
    grant: str
    holder: str
    organisation: str
    person: str
    submitted: str
    started: str = ""
    ended: str = ""
    attempts: int = 0
    cancelling: bool = False
    outcome: Outcome | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told on its standard input, and never on disk: keys in hexadecimal by name, statements, and bounds."""

    keys: dict[str, str]
    attach: tuple[str, ...]
    engines: int
    memory: str
    search_memory: str
    compiled: bool = True
