"""Settings of sensing."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SensingSettings(BaseSettings):
    """How observations are taken in, read from `MUMIAN_SENSING_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_SENSING_", extra="ignore")

    future_seconds: int = Field(3600, ge=0, description="How far ahead of the city's clock an observation may lie, in seconds.")
    fold_seconds: float = Field(5.0, gt=0, description="How often observations move from the journal to the lake, in seconds.")
    fold_rows: int = Field(1_000_000, ge=1, description="So many waiting observations move to the lake at once, without delay.")
    settle_rows: int = Field(1, ge=1, description="In a stepped replay, move observations to the lake when so many wait.")
    waiting_rows: int = Field(8_000_000, ge=1000, description="Refuse observations while so many wait for the lake.")
    tail_rows: int = Field(500_000, ge=0, description="How many recent observations stay in memory.")
    segment_bytes: int = Field(64 * 1024 * 1024, ge=4096, description="A journal file larger than this is followed by a new one.")
    answers: int = Field(200_000, ge=0, description="How many answers to requests with an Idempotency-Key are kept.")
    answer_seconds: int = Field(86_400, ge=0, description="How long such an answer is kept, in seconds.")
    batch_rows: int = Field(100_000, ge=1, description="The most observations in one request.")
    body_bytes: int = Field(16 * 1024 * 1024, ge=1024, description="The largest body of a SensorThings request, in bytes.")
    compact_files: int = Field(32, ge=2, description="Merge the lake's observation files when so many were added.")


class MqttSettings(BaseSettings):
    """How devices are spoken to over MQTT, read from `MUMIAN_MQTT` and `MUMIAN_MQTT_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_", extra="ignore")

    mqtt: str = Field(
        "auto",
        description="`auto` (127.0.0.1:1883, or a free port if that is taken), `off`, an address to listen on (`0.0.0.0:1883`), "
        "or another broker to go through (`mqtt://user:password@host:1883`).",
    )
    mqtt_certificate: Path | None = Field(None, description="TLS certificate chain (PEM) of the embedded broker.")
    mqtt_key: Path | None = Field(None, description="TLS private key (PEM) of the embedded broker.")
    mqtt_connections: int = Field(10_000, ge=1, description="The most MQTT connections at once.")
    mqtt_packet_bytes: int = Field(4 * 1024 * 1024, ge=1024, lt=2**28, description="The largest MQTT packet, in bytes.")
    mqtt_in_flight: int = Field(100, ge=1, le=65535, description="How many messages a subscriber may have unacknowledged.")
    mqtt_aliases: int = Field(1000, ge=0, le=65535, description="How many topic aliases an MQTT 5 client may use.")
    mqtt_waiting_messages: int = Field(1000, ge=1, description="How many messages wait for a slow or absent subscriber.")
    mqtt_waiting_bytes: int = Field(4 * 1024 * 1024, ge=1024, description="How many bytes of them, at most.")
    mqtt_sessions: int = Field(20_000, ge=1, description="How many MQTT sessions are kept, absent clients included.")
    mqtt_session_seconds: int = Field(3600, ge=0, description="How long an absent client's session is kept, in seconds.")
    mqtt_subscriptions: int = Field(1000, ge=1, description="The most subscriptions of one MQTT client.")
    mqtt_retained: int = Field(100_000, ge=0, description="The most retained messages.")
    mqtt_refusals: int = Field(10_000, ge=1, description="How many refused publishes are kept with the reason.")
    mqtt_topics: str = Field(
        "v1.1/#", description="With another broker: what of SensorThings is published there, as comma-separated topic filters."
    )
