"""Counts on real clips stay within a tenth of the hand count; the sample that comes with Mumian is counted everywhere."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.video_counting import HERE, SAMPLE, count

TRUTH: list[dict[str, Any]] = yaml.safe_load((HERE / "video_counting_truth.yaml").read_text("utf-8"))


def test_the_sample_clip_is_counted_as_by_hand() -> None:
    [truth] = [truth for truth in TRUTH if truth["clip"] == "intel_car-detection.mp4"]
    assert count(SAMPLE, truth) == {"in": truth["in"], "out": truth["out"]}


@pytest.mark.parametrize("truth", TRUTH, ids=lambda truth: truth["name"])
def test_a_clip_is_counted_within_a_tenth(shared_data: Path, truth: dict[str, Any]) -> None:
    found = count(shared_data / "video_traffic" / truth["clip"], truth)
    wrong = abs(found["in"] - truth["in"]) + abs(found["out"] - truth["out"])
    assert wrong <= 0.1 * (truth["in"] + truth["out"])
    assert len(truth["frames"]) == truth["in"] + truth["out"]
