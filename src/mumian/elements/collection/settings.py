"""Settings of collection."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CollectionSettings(BaseSettings):
    """Where data may be fetched from and how much of it, read from `MUMIAN_COLLECTION_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_COLLECTION_", extra="ignore")

    hosts: list[str] = Field(
        default_factory=list,
        description="The only hosts that connectors and harvests may reach: data.example.org, *.example.org, db:5432. "
        "A host with a private address must be named with its port, or by its network (10.1.0.0/16).",
    )
    inbox: Path | None = Field(
        None, description="The folder below which connectors may read files and SQLite databases; default: <home>/inbox."
    )
    upload_bytes: int = Field(8 * 1024**3, gt=0, description="The largest file that may be uploaded, in bytes.")
    unpacked_bytes: int = Field(32 * 1024**3, gt=0, description="The most that a compressed file may become, in bytes.")
    json_bytes: int = Field(256 * 1024**2, gt=0, description="The largest JSON document that is read whole, in bytes.")
    page_bytes: int = Field(64 * 1024**2, gt=0, description="The largest page that an interface may answer, in bytes.")
    harvest_records: int = Field(200_000, gt=0, description="The most datasets that are harvested from one catalogue.")
    batch: int = Field(20_000, ge=1, le=200_000, description="How many rows are staged, and after a break resumed, at a time.")
    parallel: int = Field(2, ge=1, le=16, description="How many connectors run at the same time.")
    faults: int = Field(10_000, ge=0, description="How many faults of rows are kept of one run; further ones are counted.")
    timeout_seconds: float = Field(30.0, gt=0, le=600, description="How long a source may let one answer wait, in seconds.")
    attempts: int = Field(4, ge=1, le=20, description="How often a request that fails for the moment is tried.")
    keep_days: float = Field(30.0, gt=0, description="How long uploads, previews and rows set aside are kept, in days.")
    memory: str = Field("512MB", pattern=r"^\d+(MB|GB)$", description="The memory that checking a batch of rows may take.")
