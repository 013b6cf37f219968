"""Vehicles counted at lines of real clips against a hand count: the error of each clip, in percent."""

from pathlib import Path
from typing import Any

import yaml

from mumian.foundation.video.vision.counting import LineCounting
from mumian.foundation.video.vision.source import Source

HERE = Path(__file__).resolve().parent
CLIPS = HERE.parent.parent / "shared" / "data" / "video_traffic"
SAMPLE = HERE / "clips" / "sample-car-detection.mp4"
FPS = 12.5


def run(data: Path | None) -> list[dict[str, Any]]:
    """Every clip that is here (`data`: the folder of clips; the sample that comes with Mumian is always here)."""
    figures = []
    for truth in yaml.safe_load((HERE / "video_counting_truth.yaml").read_text("utf-8")):
        clip = (data or CLIPS) / truth["clip"]
        clip = SAMPLE if not clip.exists() and truth["clip"] == "intel_car-detection.mp4" else clip
        if clip.exists():
            figures.append(_figure(clip, truth))
    return figures


def count(clip: Path, truth: dict[str, Any]) -> dict[str, int]:
    """How many the algorithm counts in each direction, as an `AnalyticTask` with the usual settings would."""
    counting = LineCounting({"line": [tuple(point) for point in truth["line"]]}, 0.5, FPS, truth["smallest"])
    source = Source(str(clip), live=False)
    found = {"line.in": 0, "line.out": 0}
    for frame in source.frames(FPS):
        for finding in counting(frame.small(), frame.time):
            found[finding.place] += 1
    source.close()
    return {"in": found["line.in"], "out": found["line.out"]}


def _figure(clip: Path, truth: dict[str, Any]) -> dict[str, Any]:
    found = count(clip, truth)
    expected = truth["in"] + truth["out"]
    wrong = abs(found["in"] - truth["in"]) + abs(found["out"] - truth["out"])
    how = "tuned on" if truth["tuned"] else "seen while tuning, not aimed at"
    told = f"{how}; by hand {truth['in']} in, {truth['out']} out; counted {found['in']} in, {found['out']} out at {FPS} fps"
    return {"name": f"video-counting-{truth['name']}", "value": 100.0 * wrong / expected, "unit": "% error", "size": told}
