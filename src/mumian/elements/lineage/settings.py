"""Settings of lineage."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class LineageSettings(BaseSettings):
    """Where lineage is told to, read from `MUMIAN_LINEAGE_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_LINEAGE_", extra="ignore")

    namespace: str = Field(
        "mumian", max_length=200, description="The OpenLineage namespace of this city's own datasets and jobs."
    )
    url: str = Field("", description="The address to which OpenLineage events are sent; empty: to nobody.")
    token: SecretStr = Field(SecretStr(""), description="The bearer token sent along with OpenLineage events.")
    targets: list[str] = Field(
        default_factory=list,
        description="Private networks or hosts to which OpenLineage events may be sent, such as 10.1.0.0/16.",
    )
    timeout_seconds: float = Field(
        5.0, gt=0, le=60, description="How long the receiver of OpenLineage events may take, in seconds."
    )
