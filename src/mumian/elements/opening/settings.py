"""Settings of opening."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class OpeningSettings(BaseSettings):
    """How much the public may ask for, read from `MUMIAN_OPENING_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_OPENING_", extra="ignore")

    cache_bytes: int = Field(
        10 * 1024**3, ge=0, description="How many bytes of downloads are kept, so that they need not be made again."
    )
    makers: int = Field(1, ge=1, le=16, description="How many downloads are made at the same time.")
    upload_bytes: int = Field(5 * 1024**3, ge=1024, description="The largest file that may be uploaded as a resource, in bytes.")
    uploads_bytes: int = Field(50 * 1024**3, ge=1024, description="How many bytes all uploaded resources together may have.")
    anonymous_per_minute: int = Field(
        120, ge=1, description="How many requests for rows or files an address without a key may send."
    )
    key_per_minute: int = Field(1200, ge=1, description="How many requests for rows or files a key may send in a minute.")
    posts_per_hour: int = Field(10, ge=1, description="How many requests, ratings or corrections an address may send in an hour.")
    answer_days: int = Field(10, ge=1, le=365, description="Within how many days an owner should answer the public.")
    rows: int = Field(32_000, ge=1, le=1_000_000, description="The most rows in one answer of the APIs.")
    seconds: float = Field(15.0, gt=0, le=600, description="The longest that one query of the APIs may run, in seconds.")
