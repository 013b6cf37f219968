"""The demo's own people: a device, a verifier and one officer for each organisation, each acting with a token of its own."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from mumian.demo.errors import HomeTaken
from mumian.demo.rules import LOGIN_PREFIX
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.errors import Conflict
from mumian.kernel.i18n import text
from mumian.kernel.platform import Platform


@dataclass(frozen=True)
class Account:
    """A simulated person's login and the header that proves it."""

    login: str
    headers: dict[str, str] = field(repr=False)


class Accounts:
    """Makes accounts when they are first needed; remembers in the data folder whom it has made (login and id by name)."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._file: Path = platform.home / "demo-people.json"
        self._people: dict[str, list[str]] = json.loads(self._file.read_text("utf-8")) if self._file.exists() else {}
        self._known: dict[str, Account] = {}

    async def device(self) -> Account:
        """The device that replays observations."""
        return await self._account("device", _title("demo.device"), None, "device", ["sensing:*", "stream:read"])

    async def desk(self) -> Account:
        """The operation centre's verifier."""
        return await self._account("desk", _title("demo.desk"), None, "operator", ["incident:*"])

    async def officer(self, organisation: str) -> Account:
        """The officer of an organisation."""
        body = self._platform.declarations.get("Organisation", organisation).title
        title = {language: text("demo.officer", language, title=body[language]) for language in ("zh", "en")}
        return await self._account(f"officer-{organisation}", title, organisation, "officer", ["incident:*"])

    async def _account(self, name: str, title: dict[str, str], organisation: str | None, role: str, scopes: list[str]) -> Account:
        if name not in self._known:
            if name not in self._people:
                self._people[name] = await self._new(name, title, organisation, role)
                self._file.write_text(json.dumps(self._people, indent=1) + "\n", "utf-8")
            login, person = self._people[name]
            _, secret = await self._platform.get(Identity).accounts.create_token(person, "demo", scopes)
            self._known[name] = Account(login, {"Authorization": f"Bearer {secret}"})
        return self._known[name]

    async def _new(self, name: str, title: dict[str, str], organisation: str | None, role: str) -> list[str]:
        """Login and id of a new person; a login that is taken (a demo that was cut off made it) is passed over."""
        for attempt in ("", *(f"-{number}" for number in range(2, 100))):
            login = f"{LOGIN_PREFIX}{name[:50]}{attempt}"
            try:
                person, _ = await self._platform.get(Identity).accounts.create_person(
                    PersonDraft(login, title, organisation, (role,))
                )
            except Conflict:
                continue
            return [login, person.id]
        raise HomeTaken(home=str(self._platform.home))


def _title(key: str) -> dict[str, str]:
    return {language: text(key, language) for language in ("zh", "en")}
