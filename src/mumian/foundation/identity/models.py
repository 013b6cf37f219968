"""Bodies of identity's endpoints: what comes in, bounded, and what goes out, without secrets."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from mumian.foundation.identity.contracts import Person, Token
from mumian.foundation.identity.rules import LOGIN_PATTERN

Secret = Annotated[str, Field(min_length=1, max_length=512)]
RoleName = Annotated[str, Field(min_length=1, max_length=80)]


class Body(BaseModel):
    """The base of what comes in: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class TitleBody(Body):
    """A name in both languages."""

    zh: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)


class SignInBody(Body):
    """Login and password."""

    login: str = Field(min_length=1, max_length=200)
    password: Secret


class PasswordBody(Body):
    """The present password and the new one."""

    current: Secret
    new: Secret


class TokenBody(Body):
    """A token to be made: what it is for, what it may do, and until when (at the latest after `MUMIAN_IDENTITY_TOKEN_DAYS`)."""

    title: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")
    scopes: list[Annotated[str, Field(max_length=80)]] = Field(min_length=1, max_length=50)
    expires: AwareDatetime | None = None


class PersonBody(Body):
    """A person to be made."""

    login: str = Field(pattern=LOGIN_PATTERN)
    title: TitleBody
    organisation: str | None = Field(None, max_length=80)
    roles: list[RoleName] = Field(default_factory=list, max_length=50)


class PersonPatchBody(Body):
    """What shall change about a person; what is left out stays."""

    title: TitleBody | None = None
    organisation: str | None = Field(None, max_length=80)
    roles: list[RoleName] | None = Field(None, max_length=50)
    disabled: bool | None = None


class WhoOut(BaseModel):
    """A person as shown to themself and others."""

    login: str
    title: dict[str, str]
    roles: list[str]
    organisation: str | None


class SessionOut(BaseModel):
    """An open session; `must_change_password` closes everything else until the password is changed."""

    person: WhoOut
    must_change_password: bool


class TokenOut(BaseModel):
    """A token without its secret."""

    id: str
    title: str
    scopes: list[str]
    created: str
    expires: str
    revoked: str | None


class NewTokenOut(TokenOut):
    """A new token; `secret` is shown this once."""

    secret: str


class PersonOut(WhoOut):
    """A person as administrators see them."""

    id: str
    disabled: bool
    must_change_password: bool
    created: str


class NewPersonOut(PersonOut):
    """A new person; the one-time `password` is shown this once."""

    password: str


class PasswordOut(BaseModel):
    """A new one-time password, shown this once."""

    password: str


class OrganisationOut(BaseModel):
    """An organisation as declared."""

    name: str
    title: dict[str, str]
    parent: str | None
    level: str
    district: str | None
    duties: list[str]


class RoleOut(BaseModel):
    """A role that people may have."""

    name: str
    title: dict[str, str]


class PolicyOut(BaseModel):
    """A policy in force, as Cedar text."""

    name: str
    cedar: str


def who(person: Person) -> WhoOut:
    """A person as shown to themself."""
    return WhoOut(login=person.login, title=person.title, roles=list(person.roles), organisation=person.organisation)


def person_out(person: Person) -> PersonOut:
    """A person as administrators see them."""
    return PersonOut(
        **who(person).model_dump(),
        id=person.id,
        disabled=person.disabled,
        must_change_password=person.must_change_password,
        created=person.created,
    )


def token_out(token: Token) -> TokenOut:
    """A token without its secret."""
    return TokenOut(
        id=token.id,
        title=token.title,
        scopes=list(token.scopes),
        created=token.created,
        expires=token.expires,
        revoked=token.revoked,
    )
