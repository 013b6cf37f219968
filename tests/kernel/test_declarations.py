"""How declarations behave: clear refusals with file and line, atomic applies, versions, and rollback."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from mumian.foundation.storage.api import open_records
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document, read_path, read_text
from mumian.kernel.declarations.kinds import Catalogue, Change, Kind, Spec, json_schema
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.errors import Conflict, Fault, Invalid, NotFound
from mumian.kernel.migrations import migrate
from mumian.kernel.unit_of_work import Transaction
from tests.conftest import START


class Part(Spec):
    weight: float = Field(gt=0, description="kilograms")


class GadgetSpec(Spec):
    size: int
    parts: tuple[Part, ...] = ()
    beside: str | None = None


def check(document: Document, spec: GadgetSpec, catalogue: Catalogue) -> list[Fault]:
    if spec.beside and not catalogue.has("Gadget", spec.beside):
        return [document.fault("spec.beside", "field.reference", kind="Gadget", name=spec.beside)]
    return []


def on_apply(tx: Transaction, change: Change) -> None:
    if change.name == "explosive":
        raise Conflict(reason="it explodes")


BOMB = b"\na: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%b]\n" % (name, name, b",".join([b"*%c" % (name - 1)] * 9)) for name in b"bcdef"
)
KIND = Kind("Gadget", GadgetSpec, "Something with a size.", check, on_apply)


@pytest.fixture
def declarations(tmp_path: Path) -> Declarations:
    records = open_records("sqlite", tmp_path, ManualClock(START))
    migrate(records)
    made = Declarations(records, {"Gadget": KIND})
    made.load()
    return made


def gadget(name: str, size: object = 1, **spec: object) -> Document:
    return Document("Gadget", name, {"zh": "器具", "en": "gadget"}, {"size": size, **spec})


def test_apply_creates_updates_and_prunes_with_versions(declarations: Declarations) -> None:
    declarations.apply_now([gadget("a"), gadget("b")], "one")
    assert [c.action for c in declarations.apply_now([gadget("a"), gadget("b")], "one").changes] == []
    plan = declarations.apply_now([gadget("a", 2)], "one", prune=True)
    assert [(c.action, c.name) for c in plan.changes] == [("delete", "b"), ("update", "a")]
    assert declarations.get("Gadget", "a").version == 2
    assert declarations.get("Gadget", "a").spec.size == 2
    assert declarations.revision == 2
    with pytest.raises(NotFound):
        declarations.get("Gadget", "b")


def test_pruning_leaves_other_sources_alone(declarations: Declarations) -> None:
    declarations.apply_now([gadget("a")], "one")
    declarations.apply_now([gadget("b")], "two", prune=True)
    assert [d.name for d in declarations.all("Gadget")] == ["a", "b"]


def test_an_apply_that_fails_half_way_changes_nothing(declarations: Declarations) -> None:
    with pytest.raises(Conflict):
        declarations.apply_now([gadget("a"), gadget("explosive")], "one")
    assert declarations.all("Gadget") == []
    declarations.load()
    assert declarations.all("Gadget") == []


def test_rollback_brings_back_what_was_in_force(declarations: Declarations) -> None:
    declarations.apply_now([gadget("a", 1), gadget("b", 1)], "one")
    declarations.apply_now([gadget("a", 2), gadget("c", 1)], "one", prune=True)
    declarations.rollback_now(1)
    assert {d.name: d.spec.size for d in declarations.all("Gadget")} == {"a": 1, "b": 1}
    assert declarations.revision == 3
    declarations.rollback_now(2)
    assert {d.name: d.spec.size for d in declarations.all("Gadget")} == {"a": 2, "c": 1}
    declarations.rollback_now(0)
    assert declarations.all("Gadget") == []
    with pytest.raises(Conflict):
        declarations.rollback_now(99)


def test_versions_never_repeat_after_a_deletion(declarations: Declarations) -> None:
    declarations.apply_now([gadget("a")], "one")
    declarations.apply_now([], "one", prune=True)
    declarations.apply_now([gadget("a")], "one")
    assert declarations.get("Gadget", "a").version == 3


def test_every_fault_is_named_with_file_line_field_and_fix(declarations: Declarations, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(
        "kind: Gadget\nname: Bad Name\ntitle: {zh: 坏}\nspec:\n  size: many\n  parts:\n    - {weight: -1}\n  colour: red\n"
        "---\nkind: Gizmo\nname: x\ntitle: {zh: 甲, en: x}\nspec: {}\n",
        "utf-8",
    )
    with pytest.raises(Invalid) as caught:
        declarations.plan(read_path(file), "s")
    found = {(f.field, f.key, f.line) for f in caught.value.faults}
    assert found >= {
        ("name", "field.pattern", 2),
        ("title.en", "field.missing", 3),
        ("spec.size", "field.type", 5),
        ("spec.parts[0].weight", "field.range", 7),
        ("spec.colour", "field.unknown", 8),
        ("kind", "field.choice", 10),
    }
    text = str(caught.value)
    assert f"{file}:5: spec.size: must be a whole number" in text
    assert "size, parts, beside" in text


def test_references_are_checked_against_the_state_after_the_change(declarations: Declarations) -> None:
    with pytest.raises(Invalid, match=r"spec\.beside"):
        declarations.apply_now([gadget("a", beside="b")], "one")
    declarations.apply_now([gadget("a", beside="b"), gadget("b")], "one")
    with pytest.raises(Invalid, match=r"spec\.beside"):
        declarations.apply_now([gadget("a", beside="b")], "one", prune=True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"kind: [", 1),
        (b"kind: Gadget\nname: a\nname: b\ntitle: {}\nspec: {}\n", 3),
        (b"\xff\xfe\x00", 1),
        (b"- a\n- b\n", 1),
        (b"kind: Gadget\nextra: 1\nname: a\ntitle: {}\nspec: {}\n", 2),
        (b"a: " + b"[" * 200_000, 1),
        (b"a:\n" + b"- " * 60_000, 2),
        (b"kind: !!bool x", 1),
        (b"kind: !!timestamp zz", 1),
        (b"kind: !!int ''", 1),
        (b"kind: !!float ''", 1),
        (b'kind: "a\\0b"', 1),
        (b"? [a, b]\n: 1\n", 1),
        (BOMB, 2),
        (b"a: &a [*a]", 1),
    ],
)
def test_unreadable_text_is_refused_at_its_line(text: bytes, line: int) -> None:
    with pytest.raises(Invalid) as caught:
        read_text(text, "f.yaml")
    assert caught.value.faults[0].file == "f.yaml"
    assert line in [fault.line for fault in caught.value.faults]


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail_in_another_way(content: bytes) -> None:
    with contextlib.suppress(Invalid):
        read_text(content)


def test_the_schema_of_a_kind_describes_the_whole_document() -> None:
    schema = json_schema(KIND)
    assert schema["properties"]["kind"] == {"const": "Gadget"}
    assert schema["properties"]["spec"]["properties"]["size"]["type"] == "integer"
    assert schema["$defs"]["Part"]["properties"]["weight"]["description"] == "kilograms"
