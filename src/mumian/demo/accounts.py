"""The demo's own people: a device, a verifier and one officer for each organisation, each acting with a token of its own."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.i18n import text
from mumian.kernel.platform import Platform


@dataclass(frozen=True)
class Account:
    """A simulated person's login and the header that proves it."""

    login: str
    headers: dict[str, str] = field(repr=False)


class Accounts:
    """Makes accounts when they are first needed; remembers in the data folder which people it has made."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._file: Path = platform.home / "demo-people.json"
        self._people: dict[str, str] = json.loads(self._file.read_text("utf-8")) if self._file.exists() else {}
        self._known: dict[str, Account] = {}

    def logins(self) -> frozenset[str]:
        """The logins of all simulated people."""
        return frozenset(self._people)

    async def device(self) -> Account:
        """The device that replays observations."""
        return await self._account("demo-device", _title("demo.device"), None, "device", ["sensing:*", "stream:read"])

    async def desk(self) -> Account:
        """The operation centre's verifier."""
        return await self._account("demo-desk", _title("demo.desk"), None, "operator", ["incident:*"])

    async def officer(self, organisation: str) -> Account:
        """The officer of an organisation."""
        body = self._platform.declarations.get("Organisation", organisation).title
        title = {language: text("demo.officer", language, title=body[language]) for language in ("zh", "en")}
        return await self._account(f"demo-officer-{organisation}"[:64], title, organisation, "officer", ["incident:*"])

    async def _account(
        self, login: str, title: dict[str, str], organisation: str | None, role: str, scopes: list[str]
    ) -> Account:
        if login not in self._known:
            accounts = self._platform.get(Identity).accounts
            if login not in self._people:
                person, _ = await accounts.create_person(PersonDraft(login, title, organisation, (role,)))
                self._people[login] = person.id
                self._file.write_text(json.dumps(self._people, indent=1) + "\n", "utf-8")
            _, secret = await accounts.create_token(self._people[login], "demo", scopes)
            self._known[login] = Account(login, {"Authorization": f"Bearer {secret}"})
        return self._known[login]


def _title(key: str) -> dict[str, str]:
    return {language: text(key, language) for language in ("zh", "en")}
