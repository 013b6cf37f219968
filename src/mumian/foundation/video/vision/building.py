"""Building: the algorithm that a plan asks for."""

from collections.abc import Callable
from dataclasses import dataclass, field

from mumian.foundation.video.vision import surfaces
from mumian.foundation.video.vision.counting import LineCounting
from mumian.foundation.video.vision.findings import Algorithm, Finding, Image, Patience
from mumian.foundation.video.vision.geometry import XY
from mumian.foundation.video.vision.inference import Model, zone_of
from mumian.foundation.video.vision.labelling import Labels
from mumian.foundation.video.vision.staying import ZoneWatch
from mumian.foundation.video.vision.surfaces import ZoneLevel
from mumian.foundation.video.vision.tampering import Tampering


@dataclass(frozen=True)
class Plan:
    """What to look for: see the fields of `AnalyticTask`; `content` is the ONNX file with its `labels`."""

    algorithm: str
    zones: dict[str, list[XY]] = field(default_factory=dict)
    lines: dict[str, list[XY]] = field(default_factory=dict)
    fps: float = 5.0
    sensitivity: float = 0.5
    smallest: float = 0.002
    seconds: float = 5.0
    threshold: float = 0.0
    person: float = 0.005
    wanted: tuple[str, ...] = ()
    content: bytes = b""
    labels: tuple[str, ...] = ()


def build(plan: Plan) -> Algorithm:
    """The algorithm, fresh; raises BadModel."""
    return _MAKERS[plan.algorithm](plan)


def _labels(plan: Plan) -> Labels | None:
    return Labels(Model(plan.content, plan.labels), plan.wanted) if plan.wanted else None


def _count(plan: Plan) -> Algorithm:
    return LineCounting(plan.lines, plan.sensitivity, plan.fps, plan.smallest, _labels(plan))


def _watch(standing: bool) -> Callable[[Plan], Algorithm]:
    return lambda plan: ZoneWatch(plan.zones, plan.seconds, standing, plan.sensitivity, plan.smallest, _labels(plan))


def _level(measure: Callable[[Plan], surfaces.Measure]) -> Callable[[Plan], Algorithm]:
    return lambda plan: ZoneLevel(plan.zones, measure(plan), plan.threshold, plan.seconds, plan.sensitivity)


class Classified:
    """The share of the first wanted label in each zone by a model; alarms where it stays at or above the threshold."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._model = Model(plan.content, plan.labels)
        self._patience = {name: Patience(plan.seconds) for name in plan.zones}

    def __call__(self, frame: Image, time: float) -> list[Finding]:
        """A level for each zone, and the alarms."""
        found = []
        for name, polygon in self._plan.zones.items():
            shares = dict(zip(self._model.labels, self._model(zone_of(frame, polygon)).tolist(), strict=True))
            label = max(self._plan.wanted, key=lambda wanted: shares[wanted])
            found.append(Finding("level", name, shares[label]))
            began = self._patience[name](shares[label] >= self._plan.threshold, time)
            if began is not None:
                found.append(Finding("alarm", name, shares[label], None, began, label))
        return found


_MAKERS: dict[str, Callable[[Plan], Algorithm]] = {
    "line_count": _count,
    "stay": _watch(standing=True),
    "linger": _watch(standing=False),
    "intrusion": _watch(standing=False),
    "crowd": _level(lambda plan: surfaces.people(plan.person)),
    "water": _level(lambda plan: surfaces.water()),
    "smoke": _level(lambda plan: surfaces.smoke()),
    "colour": _level(lambda plan: surfaces.colour()),
    "tamper": lambda plan: Tampering(plan.seconds, plan.sensitivity),
    "model": Classified,
}
