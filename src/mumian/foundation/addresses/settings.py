"""Settings of addresses."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AddressSettings(BaseSettings):
    """Which parser is used, and how much one request may ask."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_ADDRESS_", extra="ignore")

    model: str = Field(
        "", pattern=r"^[a-z0-9-]{0,40}$", description="The trained model that parses addresses; empty: rules alone."
    )
    bulk_lines: int = Field(10_000, ge=1, le=100_000, description="The most lines that one bulk request may hold.")
