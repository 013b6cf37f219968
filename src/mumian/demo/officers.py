"""The simulated officers: they look for open incidents and take the next step when its time has come, over the REST API."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from mumian.demo import rules
from mumian.demo.accounts import Account, Accounts
from mumian.kernel.clock import Clock, parse_iso

_LIST = "/api/v1/brain/incidents"
_LOST_RACE = (404, 409, 412)


@dataclass(frozen=True)
class _Task:
    version: int
    due: datetime


class Officers:
    """Acts for every organisation; keeps its hands off whatever a person has taken."""

    def __init__(self, http: httpx.AsyncClient, accounts: Accounts, clock: Clock) -> None:
        self._http = http
        self._accounts = accounts
        self._clock = clock
        self._tasks: dict[str, _Task] = {}

    async def act(self) -> int:
        """Take every step whose time has come; returns how many were taken."""
        done, incidents = 0, await self._open_incidents()
        self._tasks = {i["number"]: self._tasks[i["number"]] for i in incidents if i["number"] in self._tasks}
        for incident in sorted(incidents, key=lambda i: str(i["number"])):
            if not rules.is_simulated(incident["assignee"]) or incident["state"] not in rules.NEXT:
                continue
            if await self._due(incident) <= self._clock.now():
                done += await self._step(incident)
        return done

    async def _open_incidents(self) -> list[dict[str, Any]]:
        desk, found, following = await self._accounts.desk(), [], None
        while True:
            parameters = {"state": "open", "limit": "1000"} | ({"cursor": following} if following else {})
            answer = await self._http.get(_LIST, params=parameters, headers=desk.headers)
            answer.raise_for_status()
            page = answer.json()
            found += page["items"]
            following = page["next"]
            if following is None:
                return found

    async def _due(self, incident: dict[str, Any]) -> datetime:
        """When the next step is due: some time after the incident came into its state."""
        number, version = incident["number"], incident["version"]
        known = self._tasks.get(number)
        if known is None or known.version != version:
            answer = await self._http.get(f"{_LIST}/{number}", headers=(await self._accounts.desk()).headers)
            answer.raise_for_status()
            entered = [step["time"] for step in answer.json()["history"] if step["to"] != step["from"]]
            minutes = rules.delay_minutes(number, incident["state"]) or 0.0
            known = _Task(version, parse_iso(entered[-1]) + timedelta(minutes=minutes))
            self._tasks[number] = known
        return known.due

    async def _step(self, incident: dict[str, Any]) -> bool:
        action = rules.NEXT[incident["state"]]
        who = await self._who(action, incident)
        body = {"action": action} | ({"assignee": who.login} if action == "take" else {})
        headers = {**who.headers, "If-Match": f'"{incident["version"]}"'}
        answer = await self._http.post(f"{_LIST}/{incident['number']}/actions", json=body, headers=headers)
        if answer.status_code in _LOST_RACE:
            return False
        answer.raise_for_status()
        return True

    async def _who(self, action: str, incident: dict[str, Any]) -> Account:
        """The organisation's officer handles; the operation centre verifies and closes, so that nobody verifies own work."""
        if action in ("verify", "close") or incident["organisation"] is None:
            return await self._accounts.desk()
        return await self._accounts.officer(incident["organisation"])
