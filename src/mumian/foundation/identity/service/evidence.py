"""Evidence: people, sessions and tokens as stored must be as the events in the ledger left them."""

import json
from collections.abc import Iterator

from mumian.foundation.identity import store
from mumian.kernel.unit_of_work import Row, Session

Difference = tuple[str, str, str, str, str]


def differences(session: Session) -> Iterator[Difference]:
    """What was changed behind the city's back, as (table, id, field, expected, found).

    Nothing can be said about what the outbox no longer tells of; it keeps all events.
    """
    people: dict[str, str] = {}
    sessions: set[str] = set()
    tokens: dict[str, tuple[str, str | None]] = {}
    for event in store.event_rows(session):
        data = json.loads(event["payload"])
        if event["type"].startswith("identity.token."):
            state = data.get("state") or tokens.get(event["subject"], ("", None))[0]
            tokens[event["subject"]] = (state, data.get("revoked"))
        elif "state" in data:
            people[event["subject"]] = data["state"]
        sessions.add(data.get("session", ""))
    yield from _people(store.all_rows(session, "identity_person"), people)
    yield from _tokens(store.all_rows(session, "identity_token"), tokens)
    for row in store.all_rows(session, "identity_session"):
        if store.state(row) not in sessions:
            yield ("identity_session", str(row["id"]), "row", "a session that somebody opened", "one that nobody opened")


def _people(rows: list[Row], told: dict[str, str]) -> Iterator[Difference]:
    for row in rows:
        expected, found = told.pop(row["id"], "no person"), store.state(row)
        if found != expected:
            yield ("identity_person", str(row["id"]), "row", f"digest {expected}", f"digest {found}")
    for person in told:
        yield ("identity_person", person, "id", "a person", "none")


def _tokens(rows: list[Row], told: dict[str, tuple[str, str | None]]) -> Iterator[Difference]:
    for row in rows:
        revoked = row.pop("revoked")
        expected, found = told.pop(row["id"], ("no token", None)), (store.state(row), revoked)
        if found[0] != expected[0]:
            yield ("identity_token", str(row["id"]), "row", f"digest {expected[0]}", f"digest {found[0]}")
        elif found[1] != expected[1]:
            yield ("identity_token", str(row["id"]), "revoked", str(expected[1]), str(found[1]))
    for token in told:
        yield ("identity_token", token, "id", "a token", "none")
