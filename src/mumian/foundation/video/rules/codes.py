"""Codes of cameras after GB/T 28181-2016, Annex D, rule A: centre (8 digits), industry (2), type (3), network (1), serial (6)."""

from dataclasses import dataclass
from itertools import pairwise

_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82".split()
)
CAMERA_TYPES = {"131": {"zh": "摄像机", "en": "camera"}, "132": {"zh": "网络摄像机", "en": "network camera"}}
INDUSTRIES = {
    "00": "社会治安路面接入 public security, roads",
    "01": "社会治安社区接入 public security, communities",
    "02": "社会治安内部接入 public security, interiors",
    "03": "社会治安其他接入 public security, others",
    "04": "交通路面接入 traffic, roads",
    "05": "交通卡口接入 traffic, checkpoints",
    "06": "交通内部接入 traffic, interiors",
    "07": "交通其他接入 traffic, others",
    "08": "城市管理接入 urban management",
    "09": "卫生环保接入 health and environment",
    "10": "商检海关接入 inspection and customs",
    "11": "教育部门接入 education",
}


@dataclass(frozen=True)
class Code:
    """The parts of a code; `sector` is who builds: government 00–39, enterprise 40–79, residents 80–89, other 90–99."""

    division: str
    grassroots: str
    industry: str
    type: str
    network: str
    serial: str

    @property
    def sector(self) -> str:
        """The kind of body behind the industry code."""
        number = int(self.industry)
        return "government" if number < 40 else "enterprise" if number < 80 else "residents" if number < 90 else "other"


def parse(code: str) -> Code:
    """The parts; raises ValueError with the translation key of what is wrong."""
    if len(code) != 20 or not (code.isascii() and code.isdigit()):
        raise ValueError("video.code.digits")
    parts = Code(code[:6], code[6:8], code[8:10], code[10:13], code[13], code[14:])
    if parts.division[:2] not in _PROVINCES:
        raise ValueError("video.code.province")
    levels = [code[2:4], code[4:6], code[6:8]]
    if any(upper == "00" != lower for upper, lower in pairwise(levels)):
        raise ValueError("video.code.division")
    if parts.type not in CAMERA_TYPES:
        raise ValueError("video.code.type")
    if parts.network == "9":
        raise ValueError("video.code.network")
    return parts
