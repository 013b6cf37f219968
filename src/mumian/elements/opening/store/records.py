"""SQL of what is written over CKAN's API: packages, groups and organisations with all that they carry, and uploaded files."""

from collections.abc import Iterable

from mumian.kernel.unit_of_work import Row, Session, Transaction

_COLUMNS = "kind, name, id, declared, record, changed_at"


def put(tx: Transaction, kind: str, name: str, id_: str, declared: str, record: str) -> None:
    """Keep a record in the place of the last; `declared` is the name of the declaration that it describes."""
    tx.session.execute(
        "INSERT INTO opening_record (kind, name, id, declared, record, changed_at) "
        "VALUES (:kind, :name, :id, :declared, :record, :now) ON CONFLICT (kind, name) DO UPDATE SET id = excluded.id, "
        "declared = excluded.declared, record = excluded.record, changed_at = excluded.changed_at",
        kind=kind,
        name=name,
        id=id_,
        declared=declared,
        record=record,
        now=tx.now_text,
    )


def drop(tx: Transaction, kind: str, name: str) -> bool:
    """Forget a record; False if there was none."""
    return tx.session.execute("DELETE FROM opening_record WHERE kind = :kind AND name = :name", kind=kind, name=name) > 0


def find(session: Session, kind: str, id_or_name: str) -> Row | None:
    """A record by name, or else by id."""
    select = f"SELECT {_COLUMNS} FROM opening_record WHERE kind = :kind AND "
    found = session.row(select + "name = :key", kind=kind, key=id_or_name)
    return found or session.row(select + "id = :key", kind=kind, key=id_or_name)


def of(session: Session, kind: str, declared: list[str]) -> dict[str, Row]:
    """Records by the names of what they describe; those that are not there are left out."""
    found: dict[str, Row] = {}
    for start in range(0, len(declared), 500):
        params = {f"n{i}": name for i, name in enumerate(declared[start : start + 500])}
        among = ", ".join(f":{key}" for key in params)
        rows = session.rows(
            f"SELECT {_COLUMNS} FROM opening_record WHERE kind = :kind AND declared IN ({among})", kind=kind, **params
        )
        found |= {row["declared"]: row for row in rows}
    return found


def all_of(session: Session, kind: str) -> list[Row]:
    """All records of a kind, by name."""
    return session.rows(f"SELECT {_COLUMNS} FROM opening_record WHERE kind = :kind ORDER BY name", kind=kind)


def everything(session: Session) -> list[Row]:
    """All records, for the evidence."""
    return session.rows("SELECT kind, name, record FROM opening_record ORDER BY kind, name")


def place(tx: Transaction, package: str, resources: Iterable[str]) -> None:
    """Remember which resources a package has."""
    tx.session.execute("DELETE FROM opening_resource WHERE package = :package", package=package)
    for id_ in resources:
        tx.session.execute(
            "INSERT INTO opening_resource (id, package) VALUES (:id, :package) "
            "ON CONFLICT (id) DO UPDATE SET package = excluded.package",
            id=id_,
            package=package,
        )


def package_of(session: Session, resource: str) -> str | None:
    """The package of a resource."""
    found = session.value("SELECT package FROM opening_resource WHERE id = :id", id=resource)
    return None if found is None else str(found)


def keep_file(tx: Transaction, resource: str, name: str, media: str, size: int, sha256: str, path: str) -> None:
    """Keep where an uploaded file is."""
    tx.session.execute(
        "INSERT INTO opening_file (resource, name, media, size, sha256, path, kept_at) "
        "VALUES (:resource, :name, :media, :size, :sha256, :path, :now) ON CONFLICT (resource) DO UPDATE SET "
        "name = excluded.name, media = excluded.media, size = excluded.size, sha256 = excluded.sha256, path = excluded.path, "
        "kept_at = excluded.kept_at",
        resource=resource,
        name=name,
        media=media,
        size=size,
        sha256=sha256,
        path=path,
        now=tx.now_text,
    )


def file(session: Session, resource: str) -> Row | None:
    """The uploaded file of a resource."""
    return session.row("SELECT name, media, size, sha256, path FROM opening_file WHERE resource = :resource", resource=resource)


def drop_file(tx: Transaction, resource: str) -> None:
    """Forget an uploaded file."""
    tx.session.execute("DELETE FROM opening_file WHERE resource = :resource", resource=resource)


def stored(session: Session) -> int:
    """How many bytes all uploaded files have."""
    return int(session.value("SELECT COALESCE(SUM(size), 0) FROM opening_file"))
