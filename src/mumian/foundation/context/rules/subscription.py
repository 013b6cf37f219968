"""Subscriptions: what they say, checked (5.2.12), whether a change concerns one, and what its receiver is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mumian.foundation.context.errors import BadRequestData
from mumian.foundation.context.rules import texts

TRIGGERS = ("entityCreated", "entityUpdated", "entityDeleted", "attributeCreated", "attributeUpdated", "attributeDeleted")
_USUAL = frozenset({"attributeCreated", "attributeUpdated"})
_FORMATS = {"normalized": "normalized", "concise": "concise", "simplified": "simplified", "keyValues": "simplified"}
ACCEPTED = ("application/json", "application/ld+json", "application/geo+json")
_KNOWN = frozenset({
    "id", "type", "@context", "subscriptionName", "description", "entities", "watchedAttributes", "notificationTrigger", "q",
    "geoQ",
    "csf", "isActive", "expiresAt", "notification", "throttling", "timeInterval", "scopeQ", "lang", "datasetId", "jsonldContext",
    "localOnly", "status", "createdAt", "modifiedAt", "temporalQ", "joinLevel", "join", "containedBy",
})  # fmt: skip
_UNSUPPORTED = ("temporalQ", "join")
_TEXTS = ("q", "csf", "scopeQ", "lang", "subscriptionName", "description")
GENERATED = frozenset({"status", "createdAt", "modifiedAt"})


@dataclass(frozen=True)
class Endpoint:
    """Where notifications go and how."""

    uri: str
    accept: str
    headers: tuple[tuple[str, str], ...]
    timeout: float | None


def check(body: Mapping[str, Any], now: int) -> None:
    """Raise BadRequestData unless it is a whole subscription; `now` in µs."""
    if body.get("type") != "Subscription":
        raise BadRequestData.field("type", "field.choice", expected="Subscription")
    for name in body:
        if name not in _KNOWN:
            raise BadRequestData.field(name[:100], "field.unknown", expected=", ".join(sorted(_KNOWN)))
    for name in _UNSUPPORTED:
        if name in body and body[name] != "none":
            raise BadRequestData.field(name, "context.not_here")
    if "entities" not in body and "watchedAttributes" not in body:
        raise BadRequestData.field("entities", "field.missing")
    for name in _TEXTS:
        if name in body and (not isinstance(body[name], str) or not body[name]):
            raise BadRequestData.field(name, "field.type", expected="string")
    _lists(body)
    _times(body, now)
    _notification(body.get("notification"))


def _lists(body: Mapping[str, Any]) -> None:
    entities = body.get("entities")
    if entities is not None and (
        not isinstance(entities, list) or not entities or not all(isinstance(e, dict) for e in entities)
    ):
        raise BadRequestData.field("entities", "field.type", expected="[object]")
    for name in ("watchedAttributes", "notificationTrigger"):
        value = body.get(name)
        if value is not None and (not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value)):
            raise BadRequestData.field(name, "field.type", expected="[string]")
    for trigger in body.get("notificationTrigger", ()):
        if trigger not in TRIGGERS:
            raise BadRequestData.field("notificationTrigger", "field.choice", expected=", ".join(TRIGGERS))
    if "isActive" in body and not isinstance(body["isActive"], bool):
        raise BadRequestData.field("isActive", "field.type", expected="boolean")
    datasets = body.get("datasetId", [])
    for dataset in datasets if isinstance(datasets, list) else [datasets]:
        if dataset != "@none":
            texts.uri(dataset, "datasetId")
    if "jsonldContext" in body:
        texts.uri(body["jsonldContext"], "jsonldContext")


def _times(body: Mapping[str, Any], now: int) -> None:
    if "expiresAt" in body and texts.moment(body["expiresAt"], "expiresAt") <= now:
        raise BadRequestData.field("expiresAt", "context.past")
    for name in ("throttling", "timeInterval"):
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9):
            raise BadRequestData.field(name, "field.range", expected="> 0")
    if "timeInterval" in body:
        for name in ("watchedAttributes", "throttling"):
            if name in body:
                raise BadRequestData.field("timeInterval", "context.interval_and", name=name)


def _notification(value: Any) -> None:
    if not isinstance(value, dict):
        raise BadRequestData.field("notification", "field.missing")
    if value.get("format", "normalized") not in _FORMATS:
        raise BadRequestData.field("notification.format", "field.choice", expected=", ".join(_FORMATS))
    for name in ("attributes", "pick", "omit"):
        given = value.get(name)
        if given is not None and (not isinstance(given, list) or not given or not all(isinstance(v, str) and v for v in given)):
            raise BadRequestData.field(f"notification.{name}", "field.type", expected="[string]")
    if "attributes" in value and ("pick" in value or "omit" in value):
        raise BadRequestData.field("notification.attributes", "context.attrs_and_pick")
    if value.get("showChanges") and _FORMATS[value.get("format", "normalized")] == "simplified":
        raise BadRequestData.field("notification.showChanges", "context.changes_simplified")
    endpoint(value)


def endpoint(notification: Mapping[str, Any]) -> Endpoint:
    """Where notifications go; raises BadRequestData."""
    value = notification.get("endpoint")
    if not isinstance(value, dict):
        raise BadRequestData.field("notification.endpoint", "field.missing")
    uri = texts.uri(value.get("uri"), "notification.endpoint.uri")
    if not uri.startswith(("http://", "https://")):
        raise BadRequestData.field("notification.endpoint.uri", "field.pattern", expected="http://…, https://…")
    accept = value.get("accept", "application/json")
    if accept not in ACCEPTED:
        raise BadRequestData.field("notification.endpoint.accept", "field.choice", expected=", ".join(ACCEPTED))
    headers = []
    for name in ("receiverInfo", "notifierInfo"):
        pairs = value.get(name, [])
        if not isinstance(pairs, list) or not all(isinstance(p, dict) and _pair(p) for p in pairs):
            raise BadRequestData.field(f"notification.endpoint.{name}", "field.type", expected="[{key, value}]")
        if name == "receiverInfo":
            headers = [(str(pair["key"]), str(pair["value"])) for pair in pairs]
    timeout = value.get("timeout")
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= 60_000):
        raise BadRequestData.field("notification.endpoint.timeout", "field.range", expected="0 < … ≤ 60000")
    return Endpoint(uri, accept, tuple(headers), None if timeout is None else timeout / 1000)


def _pair(pair: Mapping[str, Any]) -> bool:
    key, value = pair.get("key"), pair.get("value")
    plain = isinstance(key, str) and isinstance(value, str) and key.replace("-", "").replace("_", "").isalnum()
    return plain and str(key).isascii() and str(value).isascii() and "\n" not in str(value) and "\r" not in str(value)


def format_of(body: Mapping[str, Any]) -> str:
    """The format of its notifications."""
    return _FORMATS[body["notification"].get("format", "normalized")]


def triggers_of(body: Mapping[str, Any]) -> frozenset[str]:
    """The changes that it wants to hear of."""
    return frozenset(body["notificationTrigger"]) if "notificationTrigger" in body else _USUAL


def status(body: Mapping[str, Any], now: int) -> str:
    """Whether it is active, paused or expired at `now` (µs)."""
    at = texts.microseconds(body.get("expiresAt"))
    if at is not None and at <= now:
        return "expired"
    return "active" if body.get("isActive", True) else "paused"


def merged(body: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A subscription after a fragment was merged into it; null deletes what may be missing."""
    result = {**body}
    for name, value in patch.items():
        if value is None or value == "urn:ngsi-ld:null":
            if name in ("id", "type", "notification"):
                raise BadRequestData.field(name, "field.missing")
            result.pop(name, None)
        elif name == "notification" and isinstance(value, dict):
            result[name] = {**result.get(name, {}), **value}
        else:
            result[name] = value
    return result
