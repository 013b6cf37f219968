"""How runs and their results are kept, and what waits to be judged."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from mumian.elements.quality.contracts import Outcome, Run, Score
from mumian.kernel.unit_of_work import Row, Session, Transaction, encode, next_value

_RUN = "number, dataset, trigger_name, at, load, held_rows, seconds, readable, reason, score, dimensions, digest"
_RESULT = "rule, state, score, checked, failing, measure, bound, whole, load, asked, detail, failing_rows"
_STATE = "dataset, owner, run, at, score, dimensions, rules, failed, due_at"


def want(tx: Transaction, dataset: str, trigger: str) -> None:
    """Have a dataset judged soon."""
    tx.session.execute(
        "INSERT INTO quality_pending (dataset, trigger_name, since, stamp) VALUES (:dataset, :trigger, :now, :stamp) "
        "ON CONFLICT (dataset) DO UPDATE SET stamp = excluded.stamp, trigger_name = "
        "CASE WHEN quality_pending.trigger_name = 'asked' THEN 'asked' ELSE excluded.trigger_name END",
        dataset=dataset,
        trigger=trigger,
        now=tx.now_text,
        stamp=next_value(tx.session, "quality.pending"),
    )


def wanted(session: Session, limit: int) -> list[Row]:
    """What waits longest to be judged."""
    return session.rows(
        "SELECT dataset, trigger_name, stamp FROM quality_pending ORDER BY since, dataset LIMIT :limit", limit=limit
    )


def done(tx: Transaction, dataset: str, stamp: int) -> None:
    """It was judged; what was asked for since then stays."""
    tx.session.execute("DELETE FROM quality_pending WHERE dataset = :dataset AND stamp <= :stamp", dataset=dataset, stamp=stamp)


def due(session: Session, now: str) -> list[str]:
    """The datasets of which something is due to be looked at again."""
    rows = session.rows("SELECT dataset FROM quality_state WHERE due_at <= :now ORDER BY due_at, dataset LIMIT 1000", now=now)
    return [row["dataset"] for row in rows]


def put_due(tx: Transaction, dataset: str, due_at: str | None) -> None:
    """When to look again."""
    tx.session.execute("UPDATE quality_state SET due_at = :due WHERE dataset = :dataset", dataset=dataset, due=due_at)


def digest(outcomes: Iterable[Outcome]) -> str:
    """The SHA-256, in hexadecimal, of what a run found."""
    return _digest(_result(outcome) for outcome in outcomes)


def kept_digest(session: Session, run: int) -> str:
    """The digest of a run's results as they are kept."""
    return _digest(session.rows(f"SELECT {_RESULT} FROM quality_result WHERE run = :run", run=run))


def _digest(rows: Iterable[Mapping[str, Any]]) -> str:
    told = sorted(([row[name.strip()] for name in _RESULT.split(",")] for row in rows), key=lambda row: str(row[0]))
    return sha256(encode(told)).hexdigest()


def keep(tx: Transaction, run: Run, readable: bool, reason: str | None) -> str:
    """Keep a run with its results; returns their digest."""
    found = digest(run.outcomes)
    tx.session.execute(
        f"INSERT INTO quality_run ({_RUN}) VALUES (:number, :dataset, :trigger, :at, :load, :rows, :seconds, :readable, :reason, "
        ":score, :dimensions, :digest)",
        number=run.number,
        dataset=run.dataset,
        trigger=run.trigger,
        at=run.at,
        load=run.load,
        rows=run.rows,
        seconds=run.seconds,
        readable=int(readable),
        reason=reason,
        score=run.score.total,
        dimensions=_json(run.score.dimensions),
        digest=found,
    )
    if run.outcomes:
        names = [name.strip() for name in _RESULT.split(",")]
        tx.session.execute_many(
            f"INSERT INTO quality_result (run, dataset, {_RESULT}) VALUES (:run, :dataset, {', '.join(':' + n for n in names)})",
            [{"run": run.number, "dataset": run.dataset, **_result(outcome)} for outcome in run.outcomes],
        )
    return found


def sum_up(tx: Transaction, run: Run, owner: str, failed: int, due_at: str | None) -> None:
    """Keep how a dataset stands."""
    tx.session.execute(
        f"INSERT INTO quality_state ({_STATE}) VALUES (:dataset, :owner, :run, :at, :score, :dimensions, :rules, :failed, :due) "
        "ON CONFLICT (dataset) DO UPDATE SET owner = excluded.owner, run = excluded.run, at = excluded.at, "
        "score = excluded.score, dimensions = excluded.dimensions, rules = excluded.rules, failed = excluded.failed, "
        "due_at = excluded.due_at",
        dataset=run.dataset,
        owner=owner,
        run=run.number,
        at=run.at,
        score=run.score.total,
        dimensions=_json(run.score.dimensions),
        rules=len(run.outcomes),
        failed=failed,
        due=due_at,
    )


def forget(tx: Transaction, dataset: str) -> None:
    """Drop how a dataset stands: nothing is asked of it any more."""
    tx.session.execute("DELETE FROM quality_state WHERE dataset = :dataset", dataset=dataset)


def prune(tx: Transaction, dataset: str, keep_runs: int) -> None:
    """Drop the oldest runs of a dataset beyond so many."""
    last = tx.session.row(
        "SELECT number FROM quality_run WHERE dataset = :dataset ORDER BY number DESC LIMIT 1 OFFSET :keep",
        dataset=dataset,
        keep=keep_runs,
    )
    if last is None:
        return
    given = {"dataset": dataset, "number": last["number"]}
    tx.session.execute("DELETE FROM quality_result WHERE dataset = :dataset AND run <= :number", **given)
    tx.session.execute("DELETE FROM quality_run WHERE dataset = :dataset AND number <= :number", **given)


def state(session: Session, dataset: str) -> Row | None:
    """How a dataset stands."""
    row = session.row(f"SELECT {_STATE} FROM quality_state WHERE dataset = :dataset", dataset=dataset)
    return None if row is None else _read_state(row)


def states(session: Session, owner: str | None, order: str, after: tuple[float, str] | None, limit: int) -> list[Row]:
    """How datasets stand: by name, or the worst first (those without a score last, with the key 101)."""
    key = "COALESCE(score, 101.0)" if order == "score" else "0.0"
    conditions, params = ["1 = 1"], {"limit": limit}
    if owner is not None:
        conditions.append("owner = :owner")
        params |= {"owner": owner}  # type: ignore[dict-item]
    if after is not None:
        conditions.append(f"({key} > :after_key OR ({key} = :after_key AND dataset > :after_name))")
        params |= {"after_key": after[0], "after_name": after[1]}  # type: ignore[dict-item]
    rows = session.rows(
        f"SELECT {_STATE}, {key} AS order_key FROM quality_state WHERE {' AND '.join(conditions)} "
        "ORDER BY order_key, dataset LIMIT :limit",
        **params,
    )
    return [_read_state(row) for row in rows]


def scores(session: Session) -> list[Row]:
    """The score of every dataset, with its owner."""
    return session.rows("SELECT dataset, owner, score, rules, failed FROM quality_state ORDER BY dataset")


def runs(session: Session, dataset: str, before: int | None, limit: int) -> list[Row]:
    """The runs of a dataset, newest first, older than number `before`."""
    rows = session.rows(
        f"SELECT {_RUN} FROM quality_run WHERE dataset = :dataset AND number < :before ORDER BY number DESC LIMIT :limit",
        dataset=dataset,
        before=1 << 62 if before is None else before,
        limit=limit,
    )
    return [{**row, "dimensions": json.loads(row["dimensions"]), "readable": bool(row["readable"])} for row in rows]


def outcomes(session: Session, run: int) -> dict[str, Outcome]:
    """What a run found, by rule."""
    rows = session.rows(f"SELECT {_RESULT} FROM quality_result WHERE run = :run ORDER BY rule", run=run)
    return {row["rule"]: _outcome(row) for row in rows}


def rule_history(session: Session, dataset: str, rule: str, before: int | None, limit: int) -> list[Row]:
    """What was found for a rule, newest first."""
    return session.rows(
        "SELECT r.run, u.at, r.state, r.score, r.checked, r.failing, r.measure, r.bound FROM quality_result r "
        "JOIN quality_run u ON u.number = r.run WHERE r.dataset = :dataset AND r.rule = :rule AND r.run < :before "
        "ORDER BY r.run DESC LIMIT :limit",
        dataset=dataset,
        rule=rule,
        before=1 << 62 if before is None else before,
        limit=limit,
    )


def baseline(session: Session, dataset: str, rule: str, asked: str) -> tuple[int, Any] | None:
    """The load and the bins that a rule compares with; None while there are none that fit what it asks."""
    row = session.row(
        "SELECT load, bins FROM quality_baseline WHERE dataset = :dataset AND rule = :rule AND asked = :asked",
        dataset=dataset,
        rule=rule,
        asked=asked,
    )
    return None if row is None else (int(row["load"]), json.loads(row["bins"]))


def put_baseline(tx: Transaction, dataset: str, rule: str, asked: str, load: int, bins: Any) -> None:
    """Keep what a rule compares with."""
    tx.session.execute(
        "INSERT INTO quality_baseline (dataset, rule, asked, load, bins) VALUES (:dataset, :rule, :asked, :load, :bins) "
        "ON CONFLICT (dataset, rule) DO UPDATE SET asked = excluded.asked, load = excluded.load, bins = excluded.bins",
        dataset=dataset,
        rule=rule,
        asked=asked,
        load=load,
        bins=_json(bins),
    )


def score_of(row: Row) -> Score:
    """The score in a row of runs or states."""
    return Score(row["score"], row["dimensions"])


def _read_state(row: Row) -> Row:
    return {**row, "dimensions": json.loads(row["dimensions"])}


def _result(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "state": outcome.state,
        "score": None if outcome.score is None else float(outcome.score),
        "checked": outcome.checked,
        "failing": outcome.failing,
        "measure": None if outcome.measure is None else float(outcome.measure),
        "bound": None if outcome.bound is None else float(outcome.bound),
        "whole": int(outcome.whole),
        "load": outcome.load,
        "asked": outcome.digest,
        "detail": _json(dict(outcome.detail)),
        "failing_rows": _json(list(outcome.rows)),
    }


def _outcome(row: Row) -> Outcome:
    return Outcome(
        rule=row["rule"],
        state=row["state"],
        score=row["score"],
        digest=row["asked"],
        load=row["load"],
        checked=row["checked"],
        failing=row["failing"],
        measure=row["measure"],
        bound=row["bound"],
        whole=bool(row["whole"]),
        rows=tuple(json.loads(row["failing_rows"])),
        detail=json.loads(row["detail"]),
    )


def _json(value: Any) -> str:
    return encode(value).decode()
