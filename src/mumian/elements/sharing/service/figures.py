"""Figures of sharing for dashboards: applications by state and owner, answers on time, use day by day."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session


def figures(session: Session, since: str, first_day: str, now: str) -> dict[str, Any]:
    """Counts since a time (ISO 8601 UTC), and use since a day of the city."""
    by_state = _counts(
        session,
        "SELECT state AS name, COUNT(*) AS many FROM sharing_application WHERE applied_at >= :since GROUP BY state",
        since=since,
    )
    grants = _counts(session, "SELECT state AS name, COUNT(*) AS many FROM sharing_grant GROUP BY state")
    objections = _counts(
        session,
        "SELECT state AS name, COUNT(*) AS many FROM sharing_objection WHERE filed_at >= :since GROUP BY state",
        since=since,
    )
    demands = _counts(
        session, "SELECT state AS name, COUNT(*) AS many FROM sharing_demand WHERE asked_at >= :since GROUP BY state", since=since
    )
    return {
        "applications": by_state,
        "grants": grants,
        "objections": objections,
        "demands": demands,
        "owners": owners(session, since, now),
        "datasets": session.rows(
            "SELECT g.dataset, g.owner, SUM(m.calls) AS calls, SUM(m.rows_had) AS rows, SUM(m.bytes_had) AS bytes "
            "FROM sharing_meter m JOIN sharing_grant g ON g.id = m.grant_id WHERE m.period = 'day' AND m.first_day >= :first "
            "GROUP BY g.dataset, g.owner ORDER BY calls DESC, g.dataset LIMIT 20",
            first=first_day,
        ),
        "days": session.rows(
            "SELECT first_day AS day, SUM(calls) AS calls, SUM(rows_had) AS rows, SUM(bytes_had) AS bytes FROM sharing_meter "
            "WHERE period = 'day' AND first_day >= :first GROUP BY first_day ORDER BY first_day",
            first=first_day,
        ),
    }


def owners(session: Session, since: str, now: str) -> list[Row]:
    """Of each owner: applications to decide on, answered, answered by the deadline, and late without an answer.

    Applications to datasets that are shared without conditions are not counted: nobody has to answer them.
    """
    return session.rows(
        "SELECT owner, COUNT(*) AS applications, COUNT(answered_at) AS answered, "
        "SUM(CASE WHEN answered_at <= first_due THEN 1 ELSE 0 END) AS on_time, "
        "SUM(CASE WHEN answered_at IS NULL AND state = 'submitted' AND first_due <= :now THEN 1 ELSE 0 END) AS late, "
        "SUM(CASE WHEN state = 'granted' THEN 1 ELSE 0 END) AS granted, "
        "SUM(CASE WHEN state = 'refused' THEN 1 ELSE 0 END) AS refused FROM sharing_application "
        "WHERE applied_at >= :since AND access = 'conditional' GROUP BY owner ORDER BY applications DESC, owner LIMIT 200",
        since=since,
        now=now,
    )


def overdue(session: Session, now: str, after: tuple[str, str] | None, limit: int) -> list[Row]:
    """Everything that is overdue 督办清单, the longest first: applications, objections and demands; who has it, since when."""
    due, number = after or ("", "")
    return session.rows(
        "SELECT * FROM ("
        "SELECT 'application' AS what, number, stage, owner, organisation, due FROM sharing_application "
        "WHERE due <= :now AND state IN ('submitted', 'approved', 'returned', 'disputed') UNION ALL "
        "SELECT 'objection', number, 'owner', owner, organisation, due FROM sharing_objection "
        "WHERE due <= :now AND state IN ('open', 'checking') UNION ALL "
        "SELECT 'demand', number, 'provider', provider, organisation, due FROM sharing_demand "
        "WHERE due <= :now AND state IN ('open', 'assigned')) AS late "
        "WHERE due > :due OR (due = :due AND number > :number) ORDER BY due, number LIMIT :limit",
        now=now,
        due=due,
        number=number,
        limit=limit,
    )


def _counts(session: Session, sql: str, **params: Any) -> dict[str, int]:
    return {row["name"]: int(row["many"]) for row in session.rows(sql, **params)}
