"""Settings of identity."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IdentitySettings(BaseSettings):
    """How long people stay signed in, and how hard passwords are to try."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_IDENTITY_", extra="ignore")

    session_hours: int = Field(12, ge=1, le=24 * 31, description="After how many hours a session ends.")
    token_days: int = Field(366, ge=1, le=3660, description="The longest life of an API token, in days.")
    argon2_kib: int = Field(65536, ge=8192, description="Memory of one password check (argon2id), in KiB.")
    argon2_passes: int = Field(3, ge=1, le=20, description="Passes of one password check (argon2id).")
