"""Settings of compute."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ComputeSettings(BaseSettings):
    """How jobs are scheduled and run, read from `MUMIAN_COMPUTE_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_COMPUTE_", extra="ignore")

    look_seconds: float = Field(1.0, gt=0, description="How often jobs are scheduled and looked after, in seconds.")
    patience_hours: float = Field(12.0, gt=0, description="A job that waited so long goes before all younger ones, in hours.")
    saving: float = Field(0.1, ge=0, lt=1, description="A job with time to spare waits for cheaper energy that saves this share.")
    queue_looked_at: int = Field(2000, ge=1, description="How many waiting jobs are looked at in one round of scheduling.")
    queued_most: int = Field(10_000, ge=1, description="How many jobs of one organisation may wait.")
    output_bytes: int = Field(64 * 1024 * 1024, ge=1024, description="The most bytes that one file of a local job may have.")
    result_bytes: int = Field(256 * 1024 * 1024, ge=1024, description="The most bytes that all results of a local job may have.")
    result_files: int = Field(200, ge=0, description="The most result files of a local job.")
    sandbox: str = Field(
        "try",
        pattern="^(try|require)$",
        description="`require` fails local jobs where the kernel cannot confine them (Landlock).",
    )
