"""Whose declarations are: who applied last owns them, a rollback gives them back, and a tightened kind locks nobody out."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import Field

from mumian.foundation.storage.api import open_records
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind, Spec
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.errors import Fault, Invalid, NotFound
from mumian.kernel.migrations import migrate
from mumian.kernel.unit_of_work import Records
from tests.conftest import START
from tests.foundation.engines import ENGINES, records_url


class Loose(Spec):
    size: int | str
    beside: str | None = None


class Tight(Spec):
    size: int = Field(ge=1)
    beside: str | None = None


def check(document: Document, spec: Tight, catalogue: Catalogue) -> Iterator[Fault]:
    if spec.beside and not catalogue.has("Gadget", spec.beside):
        yield document.fault("spec.beside", "field.reference", kind="Gadget", name=spec.beside)


LOOSE, TIGHT = Kind("Gadget", Loose, "Something."), Kind("Gadget", Tight, "Something with a size.", check)


@pytest.fixture(params=ENGINES)
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    made = open_records(records_url(request.param, "declarations_owned"), tmp_path, ManualClock(START))
    migrate(made)
    yield made
    made.close()


def opened(records: Records, kind: Kind = TIGHT) -> Declarations:
    made = Declarations(records, {kind.name: kind})
    made.load()
    return made


def gadget(name: str, size: object = 1, **spec: object) -> Document:
    return Document("Gadget", name, {"zh": "器具", "en": "gadget"}, {"size": size, **spec})


def labels(declarations: Declarations) -> dict[str, str]:
    return {declared.name: declared.source for declared in declarations.all("Gadget")}


def test_who_applied_last_owns_a_declaration_and_only_its_owner_prunes_it(records: Records) -> None:
    declarations = opened(records)
    declarations.apply_now([gadget("x")], "a")
    adopted = declarations.apply_now([gadget("x")], "b")
    assert adopted.lines() == ["~ Gadget x", "    source: 'a' → 'b'"]
    assert declarations.get("Gadget", "x").version == 2
    assert declarations.apply_now([], "a", prune=True).changes == ()
    assert labels(declarations) == {"x": "b"}
    assert len(declarations.apply_now([], "b", prune=True).changes) == 1


def test_an_adoption_is_ledgered(records: Records) -> None:
    declarations = opened(records)
    declarations.apply_now([gadget("x")], "a")
    declarations.apply_now([gadget("x")], "b")
    payloads = records.read_now(lambda session: session.rows("SELECT payload FROM kernel_outbox ORDER BY id"))
    assert ['"source":"a"' in payloads[0]["payload"], '"source":"b"' in payloads[1]["payload"]] == [True, True]


def test_a_rollback_gives_every_declaration_back_to_its_owner(records: Records) -> None:
    declarations = opened(records)
    declarations.apply_now([gadget("x"), gadget("y")], "a")
    declarations.apply_now([gadget("z")], "b")
    declarations.apply_now([gadget("x", 2), gadget("z", 2)], "c")
    declarations.apply_now([], "a", prune=True)
    declarations.rollback_now(2)
    assert labels(declarations) == {"x": "a", "y": "a", "z": "b"}
    declarations.apply_now([gadget("x")], "a", prune=True)
    assert labels(declarations) == {"x": "a", "z": "b"}
    declarations.rollback_now(3)
    assert labels(declarations) == {"x": "c", "y": "a", "z": "c"}


def test_a_rollback_that_would_leave_a_dangling_reference_is_refused(records: Records) -> None:
    opened(records, LOOSE).apply_now([gadget("x", beside="y")], "a")
    declarations = opened(records)
    declarations.apply_now([gadget("y")], "b")
    with pytest.raises(Invalid, match=r"spec\.beside"):
        declarations.rollback_now(1)
    assert labels(declarations) == {"x": "a", "y": "b"}


def test_a_rollback_to_what_does_not_fit_its_kind_any_more_is_refused(records: Records) -> None:
    opened(records, LOOSE).apply_now([gadget("x", "large")], "a")
    declarations = opened(records)
    declarations.apply_now([gadget("x", 1), gadget("y")], "a")
    with pytest.raises(Invalid, match=r"Gadget x:1: spec\.size"):
        declarations.rollback_now(1)
    assert labels(declarations) == {"x": "a", "y": "a"}


def test_what_does_not_fit_a_tightened_kind_is_out_of_force_and_told(records: Records, caplog: pytest.LogCaptureFixture) -> None:
    opened(records, LOOSE).apply_now([gadget("x", "large"), gadget("y")], "a")
    with caplog.at_level(logging.WARNING):
        declarations = opened(records)
        declarations.load()
    assert labels(declarations) == {"y": "a"}
    assert [(b.kind, b.name, b.version, b.source, b.faults[0].field) for b in declarations.broken] == [
        ("Gadget", "x", 1, "a", "spec.size")
    ]
    assert [record.message.split(",")[0] for record in caplog.records] == ["Gadget x is out of force"]
    with pytest.raises(NotFound):
        declarations.get("Gadget", "x")


def test_what_is_broken_is_mended_by_an_apply_a_prune_or_a_rollback(records: Records) -> None:
    loose = opened(records, LOOSE)
    loose.apply_now([gadget("x"), gadget("y"), gadget("z")], "a")
    loose.apply_now([gadget("x", "large"), gadget("y", "large")], "a")
    declarations = opened(records)
    declarations.apply_now([gadget("x", 3)], "a")
    assert (declarations.get("Gadget", "x").spec.size, [b.name for b in declarations.broken]) == (3, ["y"])
    declarations.rollback_now(1)
    assert (sorted(labels(declarations)), declarations.broken) == (["x", "y", "z"], [])
    loose.apply_now([gadget("y", "large")], "a")
    declarations.load()
    pruned = declarations.apply_now([gadget("x"), gadget("z")], "a", prune=True)
    assert ([(c.action, c.name) for c in pruned.changes], declarations.broken) == ([("delete", "y")], [])


def test_what_was_wrong_before_does_not_hinder_who_mends_something_else(records: Records) -> None:
    stored = [gadget("x", "large"), gadget("beside-x", beside="x"), gadget("y", "large"), gadget("beside-y", beside="y")]
    opened(records, LOOSE).apply_now(stored, "a")
    declarations = opened(records)
    declarations.apply_now([gadget("x")], "a")
    with pytest.raises(Invalid, match=r"spec\.beside"):
        declarations.apply_now([gadget("beside-y", 2, beside="y")], "a")
    declarations.apply_now([gadget("y")], "a")
    assert (len(labels(declarations)), declarations.broken) == (4, [])


def test_a_declaration_of_a_kind_that_is_gone_is_kept_and_told(records: Records) -> None:
    opened(records, Kind("Gizmo", Loose, "Gone soon.")).apply_now(
        [Document("Gizmo", "g", {"zh": "甲", "en": "g"}, {"size": 1})], "g"
    )
    declarations = opened(records)
    assert [(b.kind, b.name) for b in declarations.broken] == [("Gizmo", "g")]
    declarations.apply_now([], "g", prune=True)
    assert declarations.broken == []


@pytest.mark.parametrize("name", ["x\n", "\nx", "x\ny"])
def test_a_name_has_no_line_break(records: Records, name: str) -> None:
    with pytest.raises(Invalid, match="name"):
        opened(records).apply_now([gadget(name)], "a")


def test_a_folder_is_known_as_applied_until_it_holds_something_else(records: Records) -> None:
    declarations = opened(records)
    assert not declarations.is_applied_now([gadget("x")], "a")
    declarations.apply_now([gadget("x")], "a", whole=True)
    declarations.apply_now([gadget("x", 5)], "studio")
    assert declarations.is_applied_now([gadget("x")], "a")
    assert not declarations.is_applied_now([gadget("x")], "b")
    assert not declarations.is_applied_now([gadget("x", 2)], "a")
    with pytest.raises(Invalid):
        declarations.apply_now([gadget("x", 0)], "a", whole=True)
    assert not declarations.is_applied_now([gadget("x", 0)], "a")
