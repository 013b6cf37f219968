"""Settings of the spatial base."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SpatialSettings(BaseSettings):
    """How much the spatial base takes in at once."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_SPATIAL_", extra="ignore")

    import_bytes: int = Field(1 << 30, ge=1024, description="The largest file that may be brought into a layer, in bytes.")
    import_rows: int = Field(5_000_000, ge=1, description="The most features that one file may hold.")
    live_seconds: int = Field(5, ge=1, description="How long features and tiles with live values may be kept, in seconds.")
