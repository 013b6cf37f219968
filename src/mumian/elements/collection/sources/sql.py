"""SQL databases as a source: read only, page by page along a key, from the watermark on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mumian.elements.collection.contracts import Batch
from mumian.elements.collection.errors import SourceFailed
from mumian.elements.collection.models import ConnectorSpec, SqlSource
from mumian.elements.collection.rules import marks
from mumian.elements.collection.sources.context import Context, inside, secret
from mumian.elements.collection.sources.guard import check
from mumian.kernel.errors import Invalid

if TYPE_CHECKING:
    import sqlalchemy as sa

_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mssql": 1433, "oracle": 1521}


def sql(spec: ConnectorSpec, source: SqlSource, context: Context) -> Iterator[Batch]:
    """Batches of a table or query; raises SourceFailed when the database fails."""
    try:
        import sqlalchemy as sa
    except ImportError as error:
        raise SourceFailed(reason="install it with: pip install 'mumian[sql]'") from error
    engine = _engine(sa, source, context)
    try:
        with engine.connect() as connection:
            _read_only(sa, connection)
            yield from _pages(sa, connection, spec, source, context)
    except (sa.exc.SQLAlchemyError, ModuleNotFoundError) as error:
        raise SourceFailed(reason=_short(error)) from error
    finally:
        engine.dispose()


def _short(error: Exception) -> str:
    """What the database said, without the statement and its parameters."""
    told = getattr(error, "orig", None) or error
    return f"{type(told).__name__}: {str(told).splitlines()[0][:200] if str(told) else ''}"


def _engine(sa: Any, source: SqlSource, context: Context) -> "sa.Engine":
    given = source.address or secret(str(source.secret))
    try:
        url = sa.engine.make_url(given)
    except sa.exc.ArgumentError as error:
        raise Invalid.field("address", "field.value", reason="no address such as postgresql+psycopg://user@host/name") from error
    if url.get_backend_name() == "sqlite":
        try:
            path = inside(context.inbox, url.database or "")
        except ValueError as error:
            raise Invalid.field("address", "collection.outside", given=str(url.database)[:200]) from error
        if not path.is_file():
            raise SourceFailed(reason=f"{url.database}: no such file in the inbox")
        return sa.create_engine(f"sqlite:///file:{_quoted(str(path))}?mode=ro&uri=true", poolclass=sa.pool.NullPool)  # type: ignore[no-any-return]
    if url.get_backend_name() == "postgresql" and url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    host, port = url.host or "localhost", url.port or _PORTS.get(url.get_backend_name(), 0)
    if host.startswith("/") or any("host" in key.lower() or "service" in key.lower() for key in url.query):
        raise Invalid.field("address", "collection.host", host=host[:200])
    number = check(host, port, context.settings.hosts)
    secure = any(key.lower().startswith(("ssl", "tls")) for key in url.query)
    return sa.create_engine(url if secure else url.set(host=number), poolclass=sa.pool.NullPool)  # type: ignore[no-any-return]


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def _read_only(sa: Any, connection: "sa.Connection") -> None:
    """Nothing can be written through the connection, and a run sees one state of the data where the database can keep it."""
    name = connection.dialect.name
    if name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    elif name in ("mysql", "mariadb"):
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    elif name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")


def _pages(sa: Any, connection: "sa.Connection", spec: ConnectorSpec, source: SqlSource, context: Context) -> Iterator[Batch]:
    relation, types, key = _relation(sa, connection, source)
    order = [*([spec.watermark] if spec.watermark else []), *(name for name in (source.order or key) if name != spec.watermark)]
    unknown = [name for name in order if name not in relation.c]
    if unknown:
        raise Invalid.field("order", "collection.no_such_column", name=unknown[0], columns=", ".join(relation.c.keys())[:300])
    statement = sa.select(relation)
    if spec.watermark and context.watermark:
        column, reached = relation.c[spec.watermark], marks.read(context.watermark)
        # Rows that came at the very instant of the mark may be new: where rows have a key they are read once more.
        statement = statement.where(column >= reached if spec.mode == "upsert" else column > reached)
    if spec.watermark:
        statement = statement.where(relation.c[spec.watermark].is_not(None))
    total = connection.execute(sa.select(sa.func.count()).select_from(statement.subquery())).scalar()
    told = {"format": "sql", "columns": list(relation.c.keys()), "order": order}
    unique = bool(source.order or key)
    reader = _keyset if unique else _stream
    for rows, position, number in reader(sa, connection, statement, relation, order, source.page, context):
        names = list(relation.c.keys())
        reached_at = None
        if spec.watermark and rows:
            reached_at = marks.write(rows[-1][names.index(spec.watermark)])
        lines = list(range(number + 1, number + len(rows) + 1))
        place = source.table or "query"
        yield Batch(names, rows, lines, place, position, types, reached_at, told=told, total=total)


def _relation(sa: Any, connection: "sa.Connection", source: SqlSource) -> "tuple[Any, dict[str, str], list[str]]":
    """The table or query, the types of its columns, and its primary key."""
    if source.table is not None:
        schema, _, name = source.table.rpartition(".")
        try:
            table = sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=connection, resolve_fks=False)
        except sa.exc.NoSuchTableError as error:
            raise SourceFailed(reason=f"there is no table {source.table}") from error
        return table, {c.name: _type(sa, c.type) for c in table.c}, [c.name for c in table.primary_key.columns]
    query = str(source.query).strip().rstrip(";")
    probe = connection.execute(sa.text(f"SELECT * FROM ({query}) AS q WHERE 1 = 0".replace(":", r"\:")))
    names = list(probe.keys())
    return sa.text(query.replace(":", r"\:")).columns(*(sa.column(name) for name in names)).subquery("q"), {}, []


def _type(sa: Any, kind: Any) -> str:
    found = {
        sa.types.Boolean: "boolean",
        sa.types.Integer: "integer",
        sa.types.Numeric: "number",
        sa.types.DateTime: "time",
        sa.types.Date: "date",
        sa.types.JSON: "json",
    }
    return next((name for base, name in found.items() if isinstance(kind, base)), "text")


def _keyset(
    sa: Any, connection: Any, statement: Any, relation: Any, order: list[str], page: int, context: Context
) -> Iterator[tuple[list[list[Any]], Any, int]]:
    """Pages behind the last key: each costs the same, and the place can be found again."""
    number = 0
    behind: list[Any] | None = None
    if context.position is not None:
        number, behind = context.position["number"], [marks.read(mark) for mark in context.position["key"]]
    columns = [relation.c[name] for name in order]
    while True:
        context.check()
        asked = statement.order_by(*columns).limit(page)
        if behind is not None:
            asked = asked.where(_after(sa, columns, behind))
        rows = [list(row) for row in connection.execute(asked)]
        if not rows:
            return
        names = list(relation.c.keys())
        last = [rows[-1][names.index(name)] for name in order]
        before, number, behind = number, number + len(rows), last
        yield rows, {"number": number, "key": [marks.write(value) for value in last]}, before
        if len(rows) < page:
            return


def _after(sa: Any, columns: list[Any], values: list[Any]) -> Any:
    """The rows behind a key of several columns, in words that every database knows."""
    parts = []
    for i, column in enumerate(columns):
        same = [columns[j] == values[j] for j in range(i)]
        parts.append(sa.and_(*same, column > values[i]))
    return sa.or_(*parts)


def _stream(
    sa: Any, connection: Any, statement: Any, relation: Any, order: list[str], page: int, context: Context
) -> Iterator[tuple[list[list[Any]], Any, int]]:
    """All rows in one go, for relations without a key: after a break it begins anew."""
    asked = statement.order_by(*(relation.c[name] for name in order)) if order else statement
    number = 0
    for part in connection.execution_options(stream_results=True, yield_per=page).execute(asked).partitions(page):
        context.check()
        yield [list(row) for row in part], None, number
        number += len(part)
