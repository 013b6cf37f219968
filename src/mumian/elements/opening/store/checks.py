"""SQL of checks and profiles: what is due, what was found, which datasets are withheld."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction


def mark(tx: Transaction, dataset: str, held: bool) -> None:
    """A dataset must be looked at; until then it is withheld if `held`."""
    tx.session.execute(
        "INSERT INTO opening_due (dataset, held, since) VALUES (:dataset, :held, :now) "
        "ON CONFLICT (dataset) DO UPDATE SET held = excluded.held, since = excluded.since",
        dataset=dataset,
        held=int(held),
        now=tx.now_text,
    )


def unmark(tx: Transaction, dataset: str, since: str | None = None) -> None:
    """A dataset was looked at, as it was marked at `since`; a later mark stays."""
    only = "" if since is None else " AND since <= :since"
    tx.session.execute(f"DELETE FROM opening_due WHERE dataset = :dataset{only}", dataset=dataset, since=since)


def due(session: Session) -> list[Row]:
    """Up to a hundred datasets to look at, the longest waiting first."""
    return session.rows("SELECT dataset, since FROM opening_due ORDER BY since, dataset LIMIT 100")


def withheld(session: Session) -> list[str]:
    """The datasets that must not be opened as they are."""
    rows = session.rows(
        "SELECT dataset FROM opening_due WHERE held = 1 UNION SELECT dataset FROM opening_check WHERE state = 'failed'"
    )
    return [row["dataset"] for row in rows]


def put(tx: Transaction, dataset: str, state: str, load: int, digest: str, result: str) -> None:
    """Keep what a check found."""
    tx.session.execute(
        "INSERT INTO opening_check (dataset, state, load_number, digest, result, checked_at) "
        "VALUES (:dataset, :state, :load, :digest, :result, :now) ON CONFLICT (dataset) DO UPDATE SET state = excluded.state, "
        "load_number = excluded.load_number, digest = excluded.digest, result = excluded.result, "
        "checked_at = excluded.checked_at",
        dataset=dataset,
        state=state,
        load=load,
        digest=digest,
        result=result,
        now=tx.now_text,
    )


def check(session: Session, dataset: str) -> Row | None:
    """What the last check found."""
    return session.row(
        "SELECT dataset, state, load_number, digest, result, checked_at FROM opening_check WHERE dataset = :dataset",
        dataset=dataset,
    )


def checks(session: Session, after: str, limit: int) -> list[Row]:
    """What was found, by dataset."""
    return session.rows(
        "SELECT dataset, state, load_number, digest, result, checked_at FROM opening_check WHERE dataset > :after "
        "ORDER BY dataset LIMIT :limit",
        after=after,
        limit=limit,
    )


def keep_profile(tx: Transaction, dataset: str, load: int, profile: str) -> None:
    """Keep a profile in the place of the last."""
    tx.session.execute(
        "INSERT INTO opening_profile (dataset, load_number, profile, made_at) VALUES (:dataset, :load, :profile, :now) "
        "ON CONFLICT (dataset) DO UPDATE SET load_number = excluded.load_number, profile = excluded.profile, "
        "made_at = excluded.made_at",
        dataset=dataset,
        load=load,
        profile=profile,
        now=tx.now_text,
    )


def profile(session: Session, dataset: str) -> Row | None:
    """The profile of a dataset."""
    return session.row("SELECT load_number, profile, made_at FROM opening_profile WHERE dataset = :dataset", dataset=dataset)


def everything(session: Session) -> list[Row]:
    """All checks, for the evidence."""
    return session.rows("SELECT dataset, state, load_number, digest, result FROM opening_check ORDER BY dataset")


def forget(tx: Transaction, dataset: str) -> None:
    """A dataset has no rows any more, or is not declared: nothing is known of it."""
    given: dict[str, Any] = {"dataset": dataset}
    for table in ("opening_check", "opening_due", "opening_profile"):
        tx.session.execute(f"DELETE FROM {table} WHERE dataset = :dataset", **given)
