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


class ExchangeSettings(BaseSettings):
    """How exchange jobs run, read from `MUMIAN_EXCHANGE_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_EXCHANGE_", extra="ignore")

    look_seconds: float = Field(0.5, gt=0, description="How often exchange jobs are looked after, in seconds.")
    side_by_side: int = Field(1, ge=1, le=16, description="How many exchange jobs run at the same time.")
    engines: int = Field(2, ge=1, le=64, description="How many cores one exchange job uses.")
    memory: str = Field("192MB", pattern=r"^[0-9]{1,5}(MB|GB)$", description="The memory of DuckDB on each of these cores.")
    search_memory: str = Field("384MB", pattern=r"^[0-9]{1,5}(MB|GB)$", description="DuckDB's memory for the search of repeats.")
    attempts: int = Field(5, ge=1, le=100, description="How often the process of an exchange job is started when it dies.")
