"""Bodies of requests about cameras and what answers show of them."""

from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mumian.foundation.video.contracts import Camera
from mumian.foundation.video.rules import codes
from mumian.foundation.video.rules.views import view
from mumian.kernel.clock import parse_iso

Word = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f;:/]+$")]
Group = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f;:/]+(/[^\x00-\x1f;:/]+){0,7}$")]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Purpose = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f;:/]+$")]


class Body(BaseModel):
    """A body that takes no unknown fields."""

    model_config = ConfigDict(extra="forbid")


class TitleIn(Body):
    """A title in both languages."""

    zh: Line
    en: Line


class MaskIn(Body):
    """A privacy area in picture coordinates (x right, y down, 0…1)."""

    name: Word
    polygon: list[tuple[Share, Share]] = Field(min_length=3, max_length=64)
    mode: str = Field("black", pattern="^(black|blur)$")


class CameraPatch(Body):
    """What may be changed about a camera; what is not given stays."""

    title: TitleIn | None = None
    address: str | None = Field(None, min_length=5, max_length=1000)
    longitude: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    latitude: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    height: float | None = Field(None, ge=-500, le=9000, allow_inf_nan=False)
    heading: float | None = Field(None, ge=0, le=360, allow_inf_nan=False)
    field_of_view: float | None = Field(None, ge=1, le=360, allow_inf_nan=False)
    reach: float | None = Field(None, ge=0, le=5000, allow_inf_nan=False)
    owner: str | None = Field(None, min_length=1, max_length=80)
    operator: str | None = Field(None, min_length=1, max_length=80)
    uses: list[Word] | None = Field(None, max_length=50)
    groups: list[Group] | None = Field(None, max_length=50)
    tags: list[Word] | None = Field(None, max_length=50)
    masks: list[MaskIn] | None = Field(None, max_length=32)
    store_masked: bool | None = None
    recorded_from: str | None = Field(None, max_length=40, description="ISO 8601: the time of a file's first frame.")
    retention_days: int | None = Field(None, ge=1, le=3650)
    monitored: bool | None = None

    @field_validator("recorded_from")
    @classmethod
    def _instant(cls, value: str | None) -> str | None:
        if value is not None:
            parse_iso(value)
        return value

    def given(self) -> dict[str, Any]:
        """The fields that were given; null takes a value away where there may be none."""
        fields = self.model_dump(exclude_unset=True)
        fixed = ("title", "address", "uses", "groups", "tags", "masks", "store_masked", "retention_days", "monitored")
        return {name: value for name, value in fields.items() if value is not None or name not in fixed}


class CameraIn(CameraPatch):
    """A camera to register, by its code after GB/T 28181."""

    code: str = Field(min_length=20, max_length=20)
    title: TitleIn
    address: str = Field(min_length=5, max_length=1000)


class LookIn(Body):
    """For which purpose pictures are looked at."""

    purpose: Purpose
    note: str = Field("", max_length=500, pattern=r"^[^\x00-\x1f]*$")
    unmasked: bool = Field(False, description="Without privacy areas; needs the permission camera:unmask.")
    at: float = Field(0, ge=0, le=1e7, allow_inf_nan=False, description="Files: seconds from the beginning.")


class RecordIn(LookIn):
    """A clip to record."""

    seconds: float = Field(10, ge=1, le=3600, allow_inf_nan=False)


def shown(camera: Camera, address: bool) -> dict[str, Any]:
    """A camera as answers show it: with the parts of its code and its view polygon; the address only where `address`."""
    plain: dict[str, Any] = msgspec.to_builtins(camera)
    parts = codes.parse(camera.code)
    plain["code_parts"] = {**msgspec.to_builtins(parts), "sector": parts.sector}
    ring = None
    if camera.longitude is not None and camera.latitude is not None:
        ring = view(camera.longitude, camera.latitude, camera.heading, camera.field_of_view, camera.reach)
    plain["view"] = None if ring is None else {"type": "Polygon", "coordinates": [ring]}
    plain["address"] = plain.pop("shown") if address else None
    plain.pop("shown", None)
    return plain
