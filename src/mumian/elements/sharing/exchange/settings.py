"""Settings of exchange jobs."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ExchangeSettings(BaseSettings):
    """How exchange jobs run, read from `MUMIAN_EXCHANGE_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_EXCHANGE_", extra="ignore")

    look_seconds: float = Field(0.5, gt=0, description="How often exchange jobs are looked after, in seconds.")
    side_by_side: int = Field(1, ge=1, le=16, description="How many exchange jobs run at the same time.")
    engines: int = Field(2, ge=1, le=64, description="How many cores one exchange job uses.")
    memory: str = Field("192MB", pattern=r"^[0-9]{1,5}(MB|GB)$", description="The memory of DuckDB on each of these cores.")
    search_memory: str = Field("384MB", pattern=r"^[0-9]{1,5}(MB|GB)$", description="DuckDB's memory for the search of repeats.")
    attempts: int = Field(5, ge=1, le=100, description="How often the process of an exchange job is started when it dies.")
