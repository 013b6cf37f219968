"""Settings of the device ledger."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DeviceSettings(BaseSettings):
    """How devices are brought in, watched and commanded, read from `MUMIAN_DEVICES_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_DEVICES_", extra="ignore")

    watch_seconds: float = Field(5.0, gt=0, description="How often it is judged which devices are online, in seconds.")
    import_rows: int = Field(200_000, ge=1, description="The most rows in one file of devices.")
    import_columns: int = Field(200, ge=2, description="The most columns in one file of devices.")
    unpacked_bytes: int = Field(256 * 1024 * 1024, ge=1024, description="The most bytes that a workbook may unpack to.")
    enrolment_hours: int = Field(72, ge=1, le=24 * 90, description="How long an enrolment secret can be used, in hours.")
    token_days: int = Field(366, ge=1, le=3660, description="How long a device's token lives, in days.")
    key_token_hours: int = Field(24, ge=1, le=24 * 31, description="How long a token got with a device's key lives, in hours.")
    challenge_seconds: int = Field(120, ge=10, le=3600, description="How long a challenge can be answered, in seconds.")
    waiting_commands: int = Field(100, ge=1, description="The most commands that may wait for one device.")
    near_pairs: int = Field(20_000_000, ge=1000, description="The most pairs of near devices that one analysis looks at.")
