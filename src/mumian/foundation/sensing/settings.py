"""Settings of sensing."""

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
