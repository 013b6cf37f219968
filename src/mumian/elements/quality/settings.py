"""Settings of quality."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class QualitySettings(BaseSettings):
    """How much judging may use and how tickets behave, read from `MUMIAN_QUALITY_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_QUALITY_", extra="ignore")

    memory: str = Field("1GB", pattern=r"^[0-9]{1,5}(MB|GB)$", description="The memory of the queries that judge rows.")
    seconds: float = Field(600.0, gt=0, le=36_000, description="The longest that one such query may run, in seconds.")
    history: int = Field(400, ge=2, le=100_000, description="How many runs are kept of each dataset.")
    recheck_seconds: float = Field(
        600.0, ge=10, description="How often data that are too old are looked at again, in seconds of the city's clock."
    )
    reopen_days: float = Field(30.0, ge=0, description="Within how many days a fault opens its closed ticket again.")
    flaps: int = Field(3, ge=1, description="How often a ticket opens again before its rule must hold for some time.")
    calm_days: float = Field(1.0, gt=0, description="For how many days such a rule must hold before its ticket closes.")
    remind_days: float = Field(2.0, ge=0, description="How many days before a deadline somebody is reminded.")
    remind_every_days: float = Field(7.0, gt=0, description="After how many days beyond a deadline somebody is reminded again.")
    sample_rows: int = Field(1_000_000, ge=1000, description="How many rows a profile looks at.")
