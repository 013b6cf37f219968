"""SQL of uses and ratings."""

from mumian.kernel.unit_of_work import Row, Session, Transaction


def add(tx: Transaction, dataset: str, day: str, way: str, number: int) -> None:
    """Add to the uses of a day."""
    tx.session.execute(
        "INSERT INTO opening_usage (dataset, day, way, uses) VALUES (:dataset, :day, :way, :number) "
        "ON CONFLICT (dataset, day, way) DO UPDATE SET uses = opening_usage.uses + excluded.uses",
        dataset=dataset,
        day=day,
        way=way,
        number=number,
    )


def uses(session: Session, dataset: str, since: str) -> list[Row]:
    """The uses of a dataset by day and way, since a day."""
    return session.rows(
        "SELECT day, way, uses FROM opening_usage WHERE dataset = :dataset AND day >= :since ORDER BY day, way",
        dataset=dataset,
        since=since,
    )


def totals(session: Session, since: str, limit: int) -> list[Row]:
    """The most used datasets since a day."""
    return session.rows(
        "SELECT dataset, SUM(uses) AS uses FROM opening_usage WHERE day >= :since GROUP BY dataset "
        "ORDER BY SUM(uses) DESC, dataset LIMIT :limit",
        since=since,
        limit=limit,
    )


def told(session: Session) -> list[Row]:
    """All uses by dataset and way, for the evidence."""
    return session.rows("SELECT dataset, way, SUM(uses) AS uses FROM opening_usage GROUP BY dataset, way ORDER BY dataset, way")


def rate(tx: Transaction, dataset: str, person: str, stars: int) -> None:
    """Keep a rating in the place of the person's last."""
    tx.session.execute(
        "INSERT INTO opening_rating (dataset, person, stars, rated_at) VALUES (:dataset, :person, :stars, :now) "
        "ON CONFLICT (dataset, person) DO UPDATE SET stars = excluded.stars, rated_at = excluded.rated_at",
        dataset=dataset,
        person=person,
        stars=stars,
        now=tx.now_text,
    )


def rating(session: Session, dataset: str) -> dict[int, int]:
    """How many gave so many stars."""
    rows = session.rows(
        "SELECT stars, COUNT(*) AS n FROM opening_rating WHERE dataset = :dataset GROUP BY stars", dataset=dataset
    )
    return {int(row["stars"]): int(row["n"]) for row in rows}


def ratings(session: Session) -> list[Row]:
    """All ratings, for the evidence."""
    return session.rows("SELECT dataset, person, stars FROM opening_rating ORDER BY dataset, person")
