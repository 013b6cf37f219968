"""Batches: several requests in one (`$batch`, the JSON form of OData 4.01), one after another or as one transaction.

Requests of the same `atomicityGroup` that follow each other are one transaction: all or none. `$id` stands for the entity that an
earlier request made: in its address (`$id/Datastreams`, `Things($id)`) or as an `@iot.id`. Observations may stand in a group with
what is created alone, since they are recorded when the rest is in effect. After a request that failed nothing more is done,
unless `Prefer: continue-on-error` asks for it.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from mumian.foundation.identity.api import require
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import Observations
from mumian.foundation.sensing.rules import microseconds
from mumian.foundation.sensing.sta import handling, ingest
from mumian.foundation.sensing.sta.handling import PREFIX, Answer, Request
from mumian.foundation.sensing.sta.parsing import decode
from mumian.foundation.sensing.sta.paths import parse_path
from mumian.foundation.sensing.sta.writing import observing, requests
from mumian.foundation.sensing.sta.writing.work import Work
from mumian.kernel.errors import Conflict, Invalid, MumianError
from mumian.kernel.web.problems import problem

MOST = 1000
_ID = re.compile(r"[A-Za-z0-9_.:,;\-]{1,100}")
_MADE = re.compile(r"\$([A-Za-z0-9_.:,;\-]{1,100})")
_METHODS = ("get", "post", "patch", "put", "delete")


class Part(msgspec.Struct, kw_only=True):
    """One request of a batch."""

    id: str | int
    method: str
    url: str
    headers: dict[str, str] = {}
    body: Any = None
    group: str | None = msgspec.field(name="atomicityGroup", default=None)
    depends: list[str | int] = msgspec.field(name="dependsOn", default_factory=list)
    condition: str | None = msgspec.field(name="if", default=None)


class Body(msgspec.Struct):
    """A batch."""

    requests: list[Part]


class NoReference(Invalid):
    """A request refers to one that made nothing; values: `name`."""

    key = "sensing.batch_reference"


class Depends(Conflict):
    """A request on which this one depends, or one of its group, failed."""

    key = "sensing.batch_depends"


class Mixed(Invalid):
    """A group holds what cannot be one transaction."""

    key = "sensing.batch_group"


_decoder: "msgspec.json.Decoder[Body]" = msgspec.json.Decoder(Body)


@dataclass
class Batch:
    """A batch under way: what was made so far (id of the request → set and number), and which requests failed."""

    sensing: Sensing
    outer: Request
    language: str

    def __post_init__(self) -> None:
        self.made: dict[str, tuple[str, int]] = {}
        self.failed: set[str] = set()
        self.answers: list[dict[str, Any]] = []

    async def run(self, parts: list[Part], go_on: bool) -> None:
        """Answer the requests, group by group."""
        at = 0
        while at < len(parts):
            end = at + 1
            while parts[at].group is not None and end < len(parts) and parts[end].group == parts[at].group:
                end += 1
            done = await (self._group(parts[at:end]) if parts[at].group is not None else self._single(parts[at]))
            if not done and not go_on:
                return
            at = end

    async def _single(self, part: Part) -> bool:
        try:
            self._check(part)
            request = self._request(part)
            handler, action = handling.handler_of(request.method, request.path)
            require(request.caller, action)
            answer = await handler(self.sensing, request)
        except MumianError as error:
            self._refuse(part, error)
            return False
        await self._keep(part, answer)
        return True

    async def _group(self, parts: list[Part]) -> bool:
        change = requests.Change(self.sensing, self.outer.caller)
        current = parts[0]
        observed: list[Part] = []
        try:
            for part in parts:
                current = part
                self._check(part)
                if self._observes(part, parts):
                    observed.append(part)
                else:
                    change.steps.append(self._step(part))
            places = {str(part.id): n for n, part in enumerate(p for p in parts if p not in observed)}
            try:
                await change.run()
            except MumianError:
                current = [p for p in parts if p not in observed][min(len(change.made), len(change.steps) - 1)]
                raise
            for part in parts:
                if part not in observed:
                    self.made[str(part.id)] = (self._request(part).path.last, change.made[places[str(part.id)]])
            receipts = await self._observe(observed, change)
        except MumianError as error:
            self._refuse_group(parts, current, error)
            return False
        for part in parts:
            await self._tell(part, receipts)
        return True

    def _step(self, part: Part) -> requests.Step:
        """The step that a request is; what it refers to is known when it runs."""
        request = self._request(part, early=True)
        _, action = handling.handler_of(request.method, request.path)
        require(request.caller, action)

        def step(work: Work) -> int:
            ready = self._request(part)
            number = _step_of(ready)(work)
            self.made[str(part.id)] = (ready.path.last, number)
            return number

        return step

    def _observes(self, part: Part, parts: list[Part]) -> bool:
        """Whether a request of a group records an observation; only creations may stand beside it."""
        last = part.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
        name = last.split("(")[0]
        if part.method.lower() == "get" or name == "CreateObservations":
            raise Mixed
        if name != "Observations":
            return False
        if part.method.lower() != "post" or any(other.method.lower() != "post" for other in parts):
            raise Mixed
        return True

    async def _observe(self, parts: list[Part], change: requests.Change) -> dict[str, int]:
        """Record the observations of a group at once; if one is refused, what the group made is taken back."""
        settled = []
        now = microseconds(self.sensing.platform.clock.now())
        try:
            for part in parts:
                request = self._request(part)
                require(request.caller, handling.handler_of(request.method, request.path)[1])
                parsed = ingest.parse_one(request.body, request.path.owner_id, now)
                self.sensing.admit(request.caller, parsed.batch.streams)
                settled.append((await observing.settle(self.sensing, parsed, request.caller)).batch)
            if not settled:
                return {}
            receipt = await self.sensing.recorder.record(Observations.concat(settled))
        except MumianError:
            await change.undo()
            raise
        return {str(part.id): int(number) for part, number in zip(parts, receipt.ids.tolist(), strict=True)}

    async def _tell(self, part: Part, receipts: dict[str, int]) -> None:
        name, number = ("Observations", receipts[str(part.id)]) if str(part.id) in receipts else self.made[str(part.id)]
        self.made[str(part.id)] = (name, number)
        if part.method.lower() == "post":
            await self._keep(part, await handling.made(self.sensing, name, number, self.outer.base))
        else:
            await self._keep(part, Answer(200, b""))

    def _check(self, part: Part) -> None:
        if part.method.lower() not in _METHODS:
            raise Invalid.field("method", "field.choice", expected=", ".join(_METHODS))
        if any(str(other) in self.failed for other in part.depends):
            raise Depends

    def _request(self, part: Part, early: bool = False) -> Request:
        """The request with what it refers to filled in; `early`: as far as is known, with 0 for the rest."""
        address, _, query = part.url.partition("?")
        for root in (self.outer.base, PREFIX, "/v1.1"):
            address = address.removeprefix(root)
        resource = "/" + "/".join(self._step_name(step, early) for step in address.split("/") if step)
        body = b"" if part.body is None else msgspec.json.encode(self._filled(part.body, early))
        headers = {
            name.lower().encode("latin-1", "replace"): text.encode("latin-1", "replace") for name, text in part.headers.items()
        }
        path = parse_path(resource, PREFIX + resource)
        inner = {b"host": self.outer.headers.get(b"host", b"localhost"), **headers}
        return replace(
            self.outer, method=part.method.upper(), path=path, body=body, query=query.encode("ascii", "replace"), headers=inner
        )

    def _step_name(self, step: str, early: bool) -> str:
        whole = _MADE.fullmatch(step)
        if whole is not None and whole.group(1) not in ("ref", "value"):
            name, number = self._reference(whole.group(1), early)
            return f"{name}({number})"
        inner = re.fullmatch(r"([A-Za-z]+)\(\$(.+)\)", step)
        return f"{inner.group(1)}({self._reference(inner.group(2), early)[1]})" if inner is not None else step

    def _reference(self, name: str, early: bool) -> tuple[str, int]:
        found = self.made.get(name)
        if found is None:
            if early:
                return "Things", 0
            raise NoReference(name=name[:100])
        return found

    def _filled(self, value: Any, early: bool) -> Any:
        if isinstance(value, list):
            return [self._filled(one, early) for one in value]
        if not isinstance(value, dict):
            return value
        filled = {name: self._filled(inner, early) for name, inner in value.items()}
        given = filled.get("@iot.id")
        if isinstance(given, str) and given.startswith("$"):
            filled["@iot.id"] = self._reference(given[1:], early)[1]
        return filled

    async def _keep(self, part: Part, answer: Answer) -> None:
        body = answer.body if answer.chunks is None else b"".join([chunk async for chunk in answer.chunks])
        told: dict[str, Any] = {"id": part.id, "status": answer.status}
        if part.group is not None:
            told["atomicityGroup"] = part.group
        location = dict(answer.headers).get(b"location", b"").decode()
        if location:
            told["headers"] = {"location": location}
            matched = re.search(r"/([A-Za-z]+)\((\d+)\)$", location)
            if matched is not None:
                self.made[str(part.id)] = (matched.group(1), int(matched.group(2)))
        if body:
            told["body"] = json.loads(body) if answer.media.startswith(b"application/json") else body.decode("utf-8", "replace")
            if part.method.lower() == "get" and isinstance(told["body"], dict) and "@iot.selfLink" in told["body"]:
                matched = re.search(r"/([A-Za-z]+)\((\d+)\)$", str(told["body"]["@iot.selfLink"]))
                if matched is not None:
                    self.made[str(part.id)] = (matched.group(1), int(matched.group(2)))
        self.answers.append(told)

    def _refuse(self, part: Part, error: MumianError) -> None:
        body = problem(error, self.language)
        if isinstance(error, handling.MethodNotAllowed):
            body |= {"status": 405, "title": "method-not-allowed", "type": "/problems/method-not-allowed"}
        if isinstance(error, Depends):
            body |= {"status": 424, "title": "failed-dependency", "type": "/problems/failed-dependency"}
        self.failed.add(str(part.id))
        told = {"id": part.id, "status": int(body["status"]), "body": body}
        self.answers.append(told if part.group is None else {**told, "atomicityGroup": part.group})

    def _refuse_group(self, parts: list[Part], failed: Part, error: MumianError) -> None:
        for part in parts:
            self.made.pop(str(part.id), None)
            self._refuse(part, error if part is failed else Depends())


def _latin(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _step_of(request: Request) -> requests.Step:
    """What a request of a group does within its transaction."""
    method, path = request.method, request.path
    if path.reference:
        return requests.reference_step(method, path, request.body)
    if method == "POST":
        return requests.creation(path, request.body)
    if method == "DELETE":
        return requests.deletion(path)
    json_patch = request.headers.get(b"content-type", b"").startswith(b"application/json-patch+json")
    return requests.alteration(path, request.body, json_patch, method == "PUT")


async def answer(sensing: Sensing, outer: Request, language: str) -> Answer:
    """Answer a batch; raises Malformed, Invalid when it is none."""
    body = decode(_decoder, outer.body)
    if len(body.requests) > MOST:
        raise Invalid.field("requests", "field.length", expected=f"≤ {MOST}")
    seen: set[str] = set()
    for place, part in enumerate(body.requests):
        if not _ID.fullmatch(str(part.id)):
            raise Invalid.field(f"requests[{place}].id", "field.pattern", expected="a1")
        if str(part.id) in seen:
            raise Invalid.field(f"requests[{place}].id", "field.duplicate", name=str(part.id))
        seen.add(str(part.id))
    batch = Batch(sensing, outer, language)
    await batch.run(body.requests, b"continue-on-error" in outer.headers.get(b"prefer", b"").lower())
    return Answer(200, msgspec.json.encode({"responses": batch.answers}))
