"""The kept contents of layers: one row for each layer, source name and digest, so that a rollback finds what it needs."""

from mumian.kernel.unit_of_work import Session, Transaction


def keep(tx: Transaction, layer: str, source: str, digest: str, text: str) -> None:
    """Remember a layer's content; the same content again only becomes the newest."""
    tx.session.execute(
        "DELETE FROM spatial_source WHERE layer = :layer AND source = :source AND digest = :digest",
        layer=layer,
        source=source,
        digest=digest,
    )
    tx.session.execute(
        "INSERT INTO spatial_source (layer, source, digest, time, content) VALUES (:layer, :source, :digest, :time, :content)",
        layer=layer,
        source=source,
        digest=digest,
        time=tx.now_text,
        content=text,
    )


def text_of(session: Session, layer: str, source: str, digest: str | None) -> str | None:
    """The GeoJSON kept for a layer: of that digest, or the newest when none is asked for."""
    found = session.value(
        "SELECT content FROM spatial_source WHERE layer = :layer AND source = :source AND (digest = :digest OR :any = 1) "
        "ORDER BY time DESC LIMIT 1",
        layer=layer,
        source=source,
        digest=digest or "",
        any=1 if digest is None else 0,
    )
    return None if found is None else str(found)
