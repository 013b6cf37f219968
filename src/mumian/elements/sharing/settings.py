"""Settings of sharing."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SharingSettings(BaseSettings):
    """How rows are delivered, read from `MUMIAN_SHARING_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_SHARING_", extra="ignore")

    targets: list[str] = Field(
        default_factory=list,
        description="Where webhooks may go beside public addresses: hosts, `host:port` or networks such as 10.1.0.0/16.",
    )
    page_rows: int = Field(5000, ge=1, le=100_000, description="The most rows in one delivery.")
    attempts: int = Field(12, ge=1, description="How often a delivery is tried before it is given up.")
    timeout_seconds: float = Field(15.0, gt=0, description="How long a receiver may take to answer, in seconds.")
