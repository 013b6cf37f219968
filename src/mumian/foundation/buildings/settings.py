"""Settings of buildings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class BuildingSettings(BaseSettings):
    """How much of buildings is taken in at once."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_BUILDINGS_", extra="ignore")

    file_bytes: int = Field(512 << 20, ge=1024, description="The largest file of buildings or pipes once unpacked, in bytes.")
    objects: int = Field(200_000, ge=1, description="The most objects that one file of buildings may hold.")
    worker_seconds: int = Field(300, ge=1, description="How long reading one IFC file may take, in seconds.")
    worker_bytes: int = Field(6 << 30, ge=1 << 28, description="How much memory reading one IFC file may take, in bytes.")
