"""Migrations: each component's numbered SQL files, applied once, in order, and remembered."""

from pathlib import Path

from mumian.kernel.clock import iso
from mumian.kernel.discovery import components
from mumian.kernel.unit_of_work import Records, Transaction

_TABLE = """
CREATE TABLE IF NOT EXISTS kernel_migration (
  component TEXT NOT NULL, name TEXT NOT NULL, time TEXT NOT NULL, PRIMARY KEY (component, name)
)"""


def migrate(records: Records) -> list[str]:
    """Bring the records up to date; returns the names of the migrations that ran."""
    folders = [("kernel", Path(__file__).parent / "migrations")]
    folders += [(f"{c.area}.{c.name}", c.folder / "migrations") for c in components()]
    ran: list[str] = []

    def work(tx: Transaction) -> None:
        tx.session.execute(_TABLE)
        known = {(r["component"], r["name"]) for r in tx.session.rows("SELECT component, name FROM kernel_migration")}
        for component, folder in folders:
            for file in sorted(folder.glob("[0-9]*.sql")) if folder.is_dir() else ():
                if (component, file.stem) in known:
                    continue
                for statement in statements(file.read_text("utf-8")):
                    tx.session.execute(statement)
                tx.session.execute(
                    "INSERT INTO kernel_migration (component, name, time) VALUES (:component, :name, :time)",
                    component=component,
                    name=file.stem,
                    time=iso(tx.now),
                )
                ran.append(f"{component}/{file.stem}")

    records.write_now(work)
    return ran


def statements(sql: str) -> list[str]:
    """Split a migration at its semicolons; comments (`--`) are dropped, so neither may stand inside a literal."""
    bare = "\n".join(line.split("--")[0] for line in sql.splitlines())
    return [part.strip() for part in bare.split(";") if part.strip()]
