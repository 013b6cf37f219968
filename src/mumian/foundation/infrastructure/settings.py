"""Settings of the infrastructure ledger."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class InfrastructureSettings(BaseSettings):
    """How facilities are brought in, measured and planned, read from `MUMIAN_INFRASTRUCTURE_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_INFRASTRUCTURE_", extra="ignore")

    measure_seconds: float = Field(3.0, gt=0, description="How long changes are gathered before measures are taken, in seconds.")
    import_rows: int = Field(200_000, ge=1, description="The most rows in one file of facilities.")
    import_columns: int = Field(200, ge=2, description="The most columns in one file of facilities.")
    unpacked_bytes: int = Field(256 * 1024 * 1024, ge=1024, description="The most bytes that a workbook may unpack to.")
    lattice: int = Field(4000, ge=100, le=100_000, description="How many points of each area are looked at for its coverage.")
    plan_points: int = Field(50_000, ge=100, description="The most points of demand in one plan.")
    plan_candidates: int = Field(20_000, ge=10, description="The most candidate places in one plan.")
    plan_seconds: float = Field(60.0, gt=0, description="The longest that one plan may be searched for, in seconds.")
    plans_at_once: int = Field(1, ge=1, description="How many plans are searched for at the same time.")
