"""Settings of the ledger."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LedgerSettings(BaseSettings):
    """How often a head is signed."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_LEDGER_", extra="ignore")

    head_seconds: float = Field(60, gt=0, description="Seconds on the city's clock between signed heads, while the ledger grows.")
    head_pause: float = Field(
        5, gt=0, description="The least number of real seconds between signed heads, however fast a replay runs."
    )
