"""Models of licence types: who issues them, to whom, for how long, and what they say."""

from typing import Annotated, Literal

from pydantic import Field

from mumian.kernel.declarations.kinds import Spec


class LicenceField(Spec):
    """Something that licences of a type say; personal fields are shown masked."""

    name: str = Field(pattern=r"^[^\W\d_]\w{0,40}$")
    title: dict[Literal["zh", "en"], str] | None = None
    required: bool = False
    personal: bool = False


class LicenceTypeSpec(Spec):
    """A type of licence 证照类型; `code` is its code in the identifiers of licences (GB/T 36904-2018)."""

    issuer: str = Field(description="The organisation that issues, renews, suspends and revokes.")
    issuer_code: str = Field(pattern=r"^[0-9A-HJ-NP-RTUWXY]{18}$", description="Its unified social credit code.")
    code: str = Field(pattern=r"^[0-9A-Z]{4,21}$", description="The code of the type in identifiers.")
    holder: Literal["person", "legal-person"]
    months: int | None = Field(None, gt=0, le=1200, description="How long it is valid; empty: until it is revoked.")
    fields: list[LicenceField] = Field(default_factory=list, max_length=60)
    shown: list[Annotated[str, Field(max_length=41)]] = Field(
        default_factory=list, max_length=20, description="Fields that whoever holds the verification code may see."
    )
