"""What sharing hands out: applications, grants, quotas, receipts, objections and demands."""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from mumian.foundation.cryptography.contracts import Signature

Way = Literal["query", "file", "push", "events"]
Channel = Literal["sharing", "opening"]
Period = Literal["day", "month"]
_encoder = msgspec.json.Encoder(order="sorted")


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One dataset of an application.

    `fields` are those asked for (empty only where the dataset is shared without conditions: all of them); `reasons` say of a
    labelled field why the purpose needs it; `plain` are labelled fields wanted as they are, not masked; `lookup` fields by whose
    value a row may be asked for though they are masked; `tokens` fields wanted as tokens; `rows` a condition in SQL over fields.
    """

    dataset: str
    fields: tuple[str, ...] = ()
    reasons: dict[str, str] = {}
    plain: tuple[str, ...] = ()
    lookup: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    rows: str | None = None


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be had in a day and in a month (of the city's time zone); None: as much as one likes."""

    calls_day: int | None = None
    rows_day: int | None = None
    bytes_day: int | None = None
    calls_month: int | None = None
    rows_month: int | None = None
    bytes_month: int | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What is applied for 共享申请: datasets of any owners, for one purpose.

    `purpose` is a word ([a-z][a-z-]*) that every later request must name; `use` the use in words 使用场景; `basis` the law or
    document that gives the task 使用依据; `days` how long; `way` how it is to be delivered; `frequency` how often, in words.
    `channel` is `opening` where the public asks for conditionally opened data. `renews` names the grant to be prolonged.
    """

    items: tuple[Item, ...]
    purpose: str
    use: str
    basis: str
    days: int
    way: Way = "query"
    frequency: str = ""
    quota: Quota = Quota()
    channel: Channel = "sharing"
    renews: str | None = None


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """One application to one owner; `number` is `batch` (what was sent off together) and a count behind.

    `state`: submitted (with the owner), returned (with the applicant, for more), approved (by the owner, with the bureau),
    granted, refused, disputed (refused, and with the bureau), withdrawn, lapsed. `due` is when whoever has it must have
    answered, `stage` who that is: owner, applicant, bureau, or empty at the end. Times are ISO 8601 UTC texts. `access` is how
    the owner gives the datasets (unconditional, conditional). `bureau` settles disputes, and with `review` confirms what the
    owner approved; `final`: a refusal that is the bureau's own. `first_due` is when the owner's first answer was due,
    `answered_at` when it came. `grants` are the ids of what came of it.
    """

    number: str
    batch: str
    version: int
    state: str
    stage: str
    applicant: str
    organisation: str | None
    owner: str
    bureau: str | None
    review: bool
    channel: str
    access: str
    items: tuple[Item, ...]
    purpose: str
    use: str
    basis: str
    days: int
    way: str
    frequency: str
    quota: Quota
    renews: str | None
    applied_at: str
    due: str | None
    first_due: str | None
    missed: int
    final: bool = False
    decided_at: str | None = None
    decided_by: str | None = None
    reason: str = ""
    refusal_basis: str = ""
    answered_at: str | None = None
    grants: tuple[str, ...] = ()


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What may be had of one dataset 共享授权, by whom, for what, and until when.

    `holder` is an organisation, or `person:<id>` for one of the public. `state` is active, suspended, revoked or ended (`until`,
    ISO 8601 UTC, has passed; what nobody ended yet but is past `until` gives nothing either). `item` says which fields, rows and
    how; `way` how it is delivered.
    """

    id: str
    version: int
    state: str
    application: str
    dataset: str
    owner: str
    holder: str
    channel: str
    item: Item
    purpose: str
    way: str
    quota: Quota
    valid_from: str
    until: str
    reason: str = ""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked and answered under a grant 交换存证, as one leaf of a signed Merkle tree (RFC 9162).

    `seq` is its place in the tree. `request` and `answer` are SHA-256 (hexadecimal): of the request's method, target and body,
    and of the bytes that were sent back.
    """

    number: str
    seq: int
    time: str
    grant: str
    dataset: str
    holder: str
    caller: str
    purpose: str
    request: str
    answer: str
    rows: int
    bytes: int


def canonical(thing: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    return _encoder.encode(thing)


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """A user says that data are wrong 异议核查; the owner checks by `due`.

    `state`: open, checking, corrected, rejected, withdrawn. `key` tells which row, `fields` which values.
    """

    number: str
    version: int
    state: str
    dataset: str
    owner: str
    reporter: str
    organisation: str | None
    grant: str | None
    key: dict[str, str]
    fields: tuple[str, ...]
    description: str
    expected: str
    filed_at: str
    due: str | None
    missed: int
    ticket: str | None = None
    answer: str = ""
    closed_at: str | None = None


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """Data that somebody needs and nobody lists yet 数据需求.

    `state`: open, assigned (to `provider`, for its `duty`), met (by `dataset`), rejected, withdrawn.
    """

    number: str
    version: int
    state: str
    title: str
    description: str
    elements: tuple[str, ...]
    purpose: str
    basis: str
    applicant: str
    organisation: str | None
    asked_at: str
    due: str | None
    missed: int
    duty: str | None = None
    provider: str | None = None
    dataset: str | None = None
    answer: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """New rows of a dataset brought to the holder of a grant: `way` is push (to a table) or webhook.

    `address` is a PushTarget by name, or an https address; `place` the table. `state`: active, stopped, or failed (given up after
    `attempts`, error `error`; set going again by hand). `position` is the `_id` of the last row delivered, `trying` the last of
    those that are counted but did not arrive yet, `load` the newest load that replaced all rows and is not yet through, and
    `next_at` when something is to be done.
    """

    number: str
    version: int
    state: str
    grant: str
    dataset: str
    owner: str
    holder: str
    way: str
    address: str
    place: str
    made_by: str
    position: int
    trying: int
    load: int
    rows_sent: int
    attempts: int
    next_at: str | None
    error: str = ""


@dataclass(frozen=True)
class Proof:
    """That `receipt` is leaf `receipt.seq` of a signed tree: its `size`, `path` and `root` in hexadecimal, `signatures` over
    `mumian-receipts/1\\n<size>\\n<root>\\n<time>\\n`; `batch` is the subject of the ledger entry that has the root.
    """

    receipt: Receipt
    batch: int
    size: int
    path: tuple[str, ...]
    root: str
    time: str
    signatures: tuple[Signature, ...]

    def bundle(self) -> dict[str, Any]:
        """The proof as tools/verify_ledger.py takes it, with the receipt's canonical JSON as the body of the entry."""
        signatures = [{"algorithm": s.algorithm, "key_id": s.key_id, "value": s.value} for s in self.signatures]
        head = {"tree": "mumian-receipts/1", "size": self.size, "root": self.root, "time": self.time, "signatures": signatures}
        return {"entry": {"body": canonical(self.receipt).decode()}, "path": list(self.path), "head": head, "batch": self.batch}


@dataclass(frozen=True)
class Decision:
    """A step of somebody's with an application: `seen` is the version that was looked at.

    `action`: approve, refuse, ask, supply, confirm, withdraw, appeal, overturn, uphold. `reason` is needed but to approve;
    `basis` (the law) to refuse and uphold. `items` narrow what is approved (datasets left out are refused), or supply what was
    asked for.
    """

    action: str
    seen: int
    reason: str = ""
    basis: str = ""
    items: tuple[Item, ...] | None = None
    quota: Quota | None = None
    days: int | None = None
