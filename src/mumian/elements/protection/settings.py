"""Settings of protection."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProtectionSettings(BaseSettings):
    """How much the gate may use, read from `MUMIAN_PROTECTION_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_PROTECTION_", extra="ignore")

    memory: str = Field("1GB", pattern=r"^[0-9]{1,5}(MB|GB)$", description="The memory of all queries at the gate together.")
    queries: int = Field(4, ge=1, le=64, description="How many queries the gate runs at the same time.")
    waiting: int = Field(200, ge=1, description="How many queries may wait before the gate says that it is busy.")
    rows: int = Field(100_000, ge=1, description="The most rows in one answer over HTTP.")
    seconds: float = Field(30.0, gt=0, le=600, description="The longest that one query may run, in seconds.")
    hot_rows: int = Field(2_000_000, ge=0, description="How many rows of datasets asked for row by row may be kept in memory.")
    sample_rows: int = Field(5000, ge=100, le=1_000_000, description="How many rows of a dataset the detectors look at.")
