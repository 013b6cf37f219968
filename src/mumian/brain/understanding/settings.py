"""Settings of understanding."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class UnderstandingSettings(BaseSettings):
    """How reports are read, from `MUMIAN_UNDERSTANDING_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_UNDERSTANDING_", extra="ignore")

    category_model: str = Field("ticket-category", description="The text model that tells categories; labels may be paths a/b/c.")
    emotion_model: str = Field("ticket-emotion", description="The text model that tells emotions; without it, words tell.")
    urgency_model: str = Field("ticket-urgency", description="The text model that tells urgency; without it, words tell.")
    look_back_days: float = Field(30, gt=0, le=366, description="How many days back incidents of the same event are looked for.")
    looked_at: int = Field(2000, ge=1, le=20_000, description="How many of the newest incidents are looked at.")
