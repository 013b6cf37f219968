"""Store of the MQTT face: retained messages, and publishes that were refused."""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence

from mumian.foundation.sensing.mqtt.sessions import Message
from mumian.kernel.unit_of_work import Row, Session, Transaction, next_value


def retain(tx: Transaction, message: Message) -> None:
    """Keep the message as its topic's last; one without a payload removes what is kept."""
    tx.session.execute("DELETE FROM sensing_retained WHERE topic = :topic", topic=message.topic)
    if message.payload:
        # JSON knows no bytes and no whole numbers as keys.
        values = {str(k): b64encode(v).decode() if isinstance(v, bytes) else v for k, v in message.properties.items()}
        tx.session.execute(
            "INSERT INTO sensing_retained (topic, payload, qos, properties, actor) "
            "VALUES (:topic, :payload, :qos, :properties, :actor)",
            topic=message.topic,
            payload=b64encode(message.payload).decode(),
            qos=message.qos,
            properties=json.dumps(values),
            actor=tx.actor.id,
        )


def retained(session: Session) -> list[Message]:
    """All retained messages."""
    return [_message(row) for row in session.rows("SELECT * FROM sensing_retained ORDER BY topic")]


def _message(row: Row) -> Message:
    values = {int(key): value for key, value in json.loads(row["properties"]).items()}
    values = {key: b64decode(value) if key == 9 else value for key, value in values.items()}
    return Message(row["topic"], b64decode(row["payload"]), row["qos"], True, values)


def keep_refusals(tx: Transaction, rows: Sequence[Row], most: int) -> None:
    """Keep refused publishes, and forget all but the newest `most`."""
    first = next_value(tx.session, "sensing.refusal", len(rows))
    tx.session.execute_many(
        "INSERT INTO sensing_refusal (id, time, actor, client, topic, payload, reason_zh, reason_en) "
        "VALUES (:id, :time, :actor, :client, :topic, :payload, :reason_zh, :reason_en)",
        [{**row, "id": first + place} for place, row in enumerate(rows)],
    )
    tx.session.execute("DELETE FROM sensing_refusal WHERE id <= :last", last=first + len(rows) - 1 - most)


def refusals(session: Session, before: int | None, limit: int) -> list[Row]:
    """Refused publishes, newest first, with ids below `before`."""
    where = "" if before is None else "WHERE id < :before "
    return session.rows(f"SELECT * FROM sensing_refusal {where}ORDER BY id DESC LIMIT :limit", before=before or 0, limit=limit)
