"""The kind Synonyms 同义词: words that stand for each other when anything is searched."""

from typing import Annotated

from pydantic import Field

from mumian.kernel.declarations.kinds import Kind, Spec

__all__ = ["KINDS", "SynonymsSpec"]


class SynonymsSpec(Spec):
    """Words that stand for each other."""

    words: list[Annotated[str, Field(min_length=1, max_length=60)]] = Field(
        min_length=2, max_length=100, description="The words, each of which finds all of them."
    )


KINDS = [Kind("Synonyms", SynonymsSpec, "Words that stand for each other when anything is searched.")]
