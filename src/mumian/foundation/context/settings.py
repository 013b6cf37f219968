"""Settings of context."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ContextSettings(BaseSettings):
    """How NGSI-LD is served, read from `MUMIAN_CONTEXT_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_CONTEXT_", extra="ignore")

    targets: list[str] = Field(
        default_factory=list,
        description="Where notifications may go beside public addresses: hosts, `host:port` or networks such as 10.1.0.0/16.",
    )
    sources: list[str] = Field(
        default_factory=list, description="Hosts (or `host:port`) from which a remote @context may be fetched; none by default."
    )
    contexts: Path | None = Field(
        None, description="A folder of JSON-LD contexts for use offline; its `index.json` gives the address of each file."
    )
    body_bytes: int = Field(8 * 1024 * 1024, ge=1024, description="The largest body of an NGSI-LD request, in bytes.")
    batch_entities: int = Field(5000, ge=1, description="The most entities in one batch operation.")
    page_entities: int = Field(1000, ge=1, description="The most entities in one answer.")
    scan_entities: int = Field(
        500_000, ge=1, description="A query that would have to look at more entities is refused as too complex."
    )
    instances: int = Field(100_000, ge=1, description="The most instances of attributes in one temporal answer.")
    fold_seconds: float = Field(5.0, gt=0, description="How often the history of entities moves to the lake, in seconds.")
    attempts: int = Field(10, ge=1, description="How often a notification is tried before it is given up.")
    timeout_seconds: float = Field(5.0, gt=0, description="How long a receiver of a notification may take to answer, in seconds.")
