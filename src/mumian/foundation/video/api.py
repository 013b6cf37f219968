"""Video for other components: `platform.get(Video)` knows cameras, hands out pictures with a purpose, and watches streams.

Detections and candidates come as events (`video.detection.made`, `video.candidate.raised`); subscribe to them.
"""

from mumian.foundation.video.contracts import Camera, Clip, Detection, Health, ImportReport, Look
from mumian.foundation.video.service.analysis import Analysis
from mumian.foundation.video.service.cameras import Cameras
from mumian.foundation.video.service.directory import Directory, Nearby
from mumian.foundation.video.service.errands import Errands
from mumian.foundation.video.service.health import HealthRounds
from mumian.foundation.video.service.housekeeping import Housekeeping
from mumian.foundation.video.service.importing import Importing
from mumian.foundation.video.service.pictures import Pictures, Why
from mumian.foundation.video.service.planning import Planner
from mumian.foundation.video.service.sealing import Seal
from mumian.foundation.video.service.streams import stream_name
from mumian.foundation.video.settings import VideoSettings
from mumian.kernel.platform import Platform

__all__ = [
    "Camera",
    "Clip",
    "Detection",
    "Health",
    "ImportReport",
    "Look",
    "Nearby",
    "Video",
    "VideoSettings",
    "Why",
    "stream_name",
]


class Video:
    """The video base of a city.

    `cameras` changes the ledger inside a transaction, `directory` finds cameras by facets and place (off the event loop),
    `pictures` hands out snapshots, clips and evidence, `analysis` supervises the tasks, `health` probes cameras.
    """

    def __init__(self, platform: Platform, settings: VideoSettings | None = None) -> None:
        self.settings = settings or VideoSettings()
        seal = Seal(platform.home / "keys")
        self.errands = Errands(self.settings, seal, platform.home)
        self.directory = Directory(platform.records)
        self.cameras = Cameras(platform.declarations, seal)
        self.importing = Importing(platform.records, self.cameras)
        self.pictures = Pictures(platform, self.errands)
        self.health = HealthRounds(platform, self.errands, self.settings)
        self.housekeeping = Housekeeping(platform, self.directory)
        self.analysis = Analysis(platform, Planner(platform, self.directory, self.errands), self.settings)
