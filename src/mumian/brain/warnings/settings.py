"""Settings of warnings: how they leave the city as CAP messages."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WarningsSettings(BaseSettings):
    """How warnings are published, read from `MUMIAN_WARNINGS_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_WARNINGS_", extra="ignore")

    cap_sender: str = Field(
        "city@mumian.invalid",
        pattern=r"^[^\s,<&]{1,200}$",
        description="The `sender` of CAP messages; a city's own name is unique.",
    )
    cap_status: Literal["Actual", "Exercise", "System", "Test"] = Field(
        "Test", description="The `status` of CAP messages: only `Actual` ones are meant for everybody to act upon."
    )
    cap_url: str = Field("", max_length=500, description="The public address of this city, such as https://city.example.org.")
