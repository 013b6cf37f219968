"""Settings of video."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class VideoSettings(BaseSettings):
    """How pictures are taken in, read from `MUMIAN_VIDEO_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_VIDEO_", extra="ignore")

    files: Path | None = Field(None, description="The folder of video files that cameras may name; default: video/ in the home.")
    workers: int = Field(2, ge=1, le=64, description="How many processes analyse streams.")
    per_worker: int = Field(16, ge=1, le=256, description="The most cameras that one process analyses at a time.")
    probe_seconds: float = Field(10.0, ge=0, description="How often some cameras are probed, in seconds; 0: never.")
    probe_cameras: int = Field(16, ge=1, le=256, description="How many cameras are probed each time, the longest unprobed first.")
    errand_seconds: float = Field(30.0, gt=0, le=600, description="How long a snapshot may take, in seconds.")
    clip_seconds: int = Field(120, ge=1, le=3600, description="The longest clip, in seconds.")
    errands: int = Field(4, ge=1, le=64, description="How many snapshots and clips are made at the same time.")
