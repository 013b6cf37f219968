"""Models of what may be declared about a register: where its records come from, how they are compared, which value survives."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mumian.elements.registers.rules.comparing import METHODS, transform_faults
from mumian.kernel.declarations.kinds import Spec

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
FieldName = Annotated[str, Field(min_length=1, max_length=63)]
AttributeKind = Literal["text", "name", "organisation", "identifier", "date", "phone", "address", "number", "location"]
Method = Literal["exact", "jaro_winkler", "name", "organisation", "identifier", "date", "phone", "address", "number", "location"]
Survival = Literal["rank", "newest", "complete", "frequent"]
Entity = Literal["person", "legal-person", "place", "licence", "credit", "other"]
Share = Annotated[float, Field(gt=0, lt=1)]
KEPT_NAMES = frozenset({"entity", "version", "current", "valid_from", "valid_to", "records"})


class AttributeSpec(Spec):
    """An attribute of an entity; its name is a field of the golden dataset.

    Which value survives is decided by `survival`, the first rule first: the source's rank, the newest, the most complete
    (longest) or the most frequent value. A value of a source row that is no longer valid is taken only when there is no other.
    """

    name: Name
    kind: AttributeKind = "text"
    scheme: Literal["id_card", "credit_code", "any"] = Field(
        "any", description="Of an identifier: how it is checked and put into standard form."
    )
    identity: bool = Field(
        False, description="Whether two entities with different valid values are never the same, unless a person says so."
    )
    find: bool = Field(False, description="Whether entities may be found by its exact value, though it is shown masked.")
    survival: list[Survival] = Field(["rank", "newest"], min_length=1, max_length=4, validate_default=True)
    most_days: int | None = Field(None, gt=0, description="A value older than so many days gives way to any newer one.")


class SourceSpec(Spec):
    """A dataset with records about such entities; `fields` says for each attribute which fields it is made of."""

    dataset: str = Field(max_length=80)
    rank: int = Field(100, ge=0, le=1000, description="How much it is trusted: of two sources the lower rank wins.")
    unique: bool = Field(False, description="Whether it holds each entity once, so that two of its rows are never the same.")
    fields: dict[Name, FieldName | list[FieldName]] = Field(min_length=1, max_length=100)
    updated: FieldName | None = Field(None, description="The field (date or time) that says how new a row is.")
    valid_to: FieldName | None = Field(None, description="The field (date or time) from which on a row is not valid any more.")


class ComparisonSpec(Spec):
    """How two records are compared in one attribute.

    `thresholds` are similarities (0 to 1, falling), metres (rising) or differences (rising), as the method needs them.
    `m` and `u` may fix the chances of each level among the same and among different entities, the best level first and
    "different" last; else both are learned.
    """

    attribute: Name
    method: Method | None = Field(None, description="The method; by default that of the attribute's kind.")
    thresholds: list[float] | None = Field(None, min_length=1, max_length=4)
    frequency: bool = Field(False, description="Whether rare values that agree weigh more than common ones.")
    m: list[Share] | None = Field(None, min_length=2, max_length=8)
    u: list[Share] | None = Field(None, min_length=2, max_length=8)


class RegisterSpec(Spec):
    """A register 基础库: golden records of entities, matched out of the records of several departments."""

    entity: Entity
    owner: str = Field(description="The organisation that answers for it.")
    golden: str = Field(max_length=80, description="The dataset that holds the golden records, with their labels and history.")
    sources: list[SourceSpec] = Field(min_length=1, max_length=50)
    attributes: list[AttributeSpec] = Field(min_length=1, max_length=60)
    comparisons: list[ComparisonSpec] = Field(min_length=1, max_length=20)
    blocking: list[Annotated[list[str], Field(min_length=1, max_length=5)]] = Field(
        min_length=1,
        max_length=12,
        description="Records are compared when they agree in all of one of these: `attribute`, `attribute:sound`, `:year`, …",
    )
    match: Share = Field(0.99, description="The probability from which on two records are one entity.")
    review: Share = Field(0.5, description="The probability from which on a person is asked.")
    prior: Share | None = Field(None, description="The chance that two records taken at random are the same; empty: learned.")
    cohesion: float = Field(
        0.5, ge=0, le=1, description="Which share of the pairs across two clusters must speak for it before they become one."
    )
    block: int = Field(500, ge=2, le=100_000, description="A block with more records than this is too common to say anything.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.review > self.match:
            raise ValueError("review is above match; lower review, or raise match")
        names = [attribute.name for attribute in self.attributes]
        twice = next((name for name in names if names.count(name) > 1 or name in KEPT_NAMES), None)
        if twice is not None:
            raise ValueError(f"the attribute {twice} is given twice, or has a name that registers need themselves; rename it")
        datasets = [source.dataset for source in self.sources]
        if len(set(datasets)) < len(datasets):
            raise ValueError("a dataset is given twice as a source; put its fields together")
        for source in self.sources:
            self._known(names, source.fields, "a source maps")
        self._known(names, [comparison.attribute for comparison in self.comparisons], "a comparison names")
        for comparison in self.comparisons:
            self._comparable(comparison)
        for rule in self.blocking:
            for part in rule:
                name, _, transform = part.partition(":")
                self._known(names, [name], "a blocking rule names")
                fault = transform_faults(self.attribute(name).kind, transform)
                if fault is not None:
                    raise ValueError(f"the blocking rule {part}: {fault}")
        return self

    def attribute(self, name: str) -> AttributeSpec:
        """The attribute of that name."""
        return next(attribute for attribute in self.attributes if attribute.name == name)

    def method(self, comparison: ComparisonSpec) -> str:
        """The method of a comparison: its own, or that of the attribute's kind."""
        kind = self.attribute(comparison.attribute).kind
        return comparison.method or ("jaro_winkler" if kind == "text" else kind)

    @staticmethod
    def _known(names: list[str], given: object, what: str) -> None:
        for name in given:  # type: ignore[attr-defined]
            if name not in names:
                raise ValueError(f"{what} {name}, which is no attribute; add the attribute or correct the name")

    def _comparable(self, comparison: ComparisonSpec) -> None:
        method, kind = METHODS[self.method(comparison)], self.attribute(comparison.attribute).kind
        if method.kinds and kind not in method.kinds:
            raise ValueError(f"{comparison.attribute} is of kind {kind}, which {self.method(comparison)} cannot compare")
        given = comparison.thresholds
        if given is not None and (method.thresholds == () or len(given) > 4):
            raise ValueError(f"the comparison of {comparison.attribute} takes no thresholds; remove them")
        for shares in (comparison.m, comparison.u):
            if shares is not None and len(shares) != len(method.levels(given)) + 1:
                raise ValueError(
                    f"the comparison of {comparison.attribute} has {len(method.levels(given))} levels and `different`; "
                    "give m and u one number for each"
                )
