"""Each algorithm on scenes whose truth is known: what happens is told once, what does not is not."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from mumian.foundation.video.vision.building import Plan, build
from mumian.foundation.video.vision.findings import Finding
from tests.foundation.video.scenes import HEIGHT, WIDTH, Draw, Image, flood, person, play, road, vehicle, veil

WHOLE = {"street": [(0.02, 0.25), (0.98, 0.25), (0.98, 0.98), (0.02, 0.98)]}
LEFT = {"bay": [(0.05, 0.3), (0.45, 0.3), (0.45, 0.95), (0.05, 0.95)]}


def found(frames: Iterable[tuple[Image, float]], **plan: Any) -> list[tuple[float, Finding]]:
    """All findings with the times at which they were made."""
    algorithm = build(Plan(**plan))
    return [(time, finding) for frame, time in frames for finding in algorithm(frame, time)]


def alarms(findings: list[tuple[float, Finding]]) -> list[tuple[float, Finding]]:
    """The alarms among findings."""
    return [(time, finding) for time, finding in findings if finding.kind == "alarm"]


def levels(findings: list[tuple[float, Finding]], after: float) -> list[float]:
    """The levels from a time on."""
    return [finding.value for time, finding in findings if finding.kind == "level" and time >= after]


def driving(*cars: tuple[float, float, float, float]) -> Draw:
    """Cars as (start x, y, pixels per second, since)."""

    def draw(picture: Image, time: float) -> None:
        for index, (x, y, speed, since) in enumerate(cars):
            if time >= since:
                vehicle(picture, x + speed * (time - since), y, (30 + 40 * index % 200, 40, 200 - 30 * index))

    return draw


@pytest.mark.parametrize("count", [1, 3, 5])
def test_every_car_that_crosses_a_line_is_counted_once_in_its_direction(count: int) -> None:
    east = [(-30.0, 70.0, 90.0, 1.5 + 2.5 * i) for i in range(count)]
    west = [(WIDTH + 30.0, 140.0, -90.0, 2.0 + 3.0 * i) for i in range(count - 1)]
    line = {"middle": [(0.5, 0.1), (0.5, 1.0)]}
    frames = play(8 + 3.0 * count, driving(*east, *west), fps=12.5)
    made = [finding.place for _, finding in found(frames, algorithm="line_count", lines=line, fps=12.5)]
    assert (made.count("middle.out"), made.count("middle.in")) == (count, count - 1)


def test_a_car_that_turns_before_the_line_is_not_counted() -> None:
    def draw(picture: Image, time: float) -> None:
        vehicle(picture, 20 + 60 * min(time, 6 - time), 100)

    line = {"middle": [(0.75, 0.1), (0.75, 1.0)]}
    assert found(play(6, draw, fps=12.5), algorithm="line_count", lines=line, fps=12.5) == []


def test_a_parked_car_is_told_once_when_its_time_is_over_and_a_passing_one_never() -> None:
    def draw(picture: Image, time: float) -> None:
        vehicle(picture, min(90.0, -30 + 60 * (time - 3)), 120)
        vehicle(picture, WIDTH - 60 * (time - 10), 70, (200, 60, 30))

    made = alarms(found(play(40, draw), algorithm="stay", zones=LEFT, seconds=15.0))
    assert [(finding.place, round(finding.began or 0)) for _, finding in made] == [("bay", 5)]
    assert 19 <= made[0][0] <= 22
    assert made[0][1].box is not None
    assert abs((made[0][1].box[0] + made[0][1].box[2]) / 2 - 90 / WIDTH) < 0.05


def test_a_car_outside_of_the_zone_may_park() -> None:
    def draw(picture: Image, time: float) -> None:
        vehicle(picture, max(240.0, WIDTH + 40 - 60 * time), 120)

    assert alarms(found(play(30, draw), algorithm="stay", zones=LEFT, seconds=10.0)) == []


def test_an_intruder_is_told_once_and_one_who_passes_outside_is_not() -> None:
    def draw(picture: Image, time: float) -> None:
        person(picture, 200 - 15 * time, 150, 1)
        person(picture, 200 + 5 * time, 150, 2)

    made = alarms(found(play(14, draw), algorithm="intrusion", zones=LEFT, seconds=0.5, smallest=0.001))
    assert [finding.place for _, finding in made] == ["bay"]
    assert (made[0][1].began or 0) == pytest.approx((200 - 0.45 * WIDTH) / 15, abs=1.2)


@pytest.mark.parametrize(("people", "expected"), [(4, False), (24, True)])
def test_a_crowd_is_told_when_there_are_enough_people(people: int, expected: bool) -> None:
    rng = np.random.default_rng(people)
    places = [(24 + 26 * (i % 11), 95 + 38 * (i // 11)) for i in range(people)]
    sway = rng.uniform(0, 6, people)

    def draw(picture: Image, time: float) -> None:
        for index, (x, y) in enumerate(places if time > 3 else ()):
            person(picture, x + 2 * np.sin(time + sway[index]), y, index)

    share = (11 * 27 + 80) / (WIDTH * HEIGHT)
    made = found(play(16, draw), algorithm="crowd", zones=WHOLE, threshold=14.0, seconds=4.0, person=share)
    assert bool(alarms(made)) is expected
    assert np.mean(levels(made, 8.0)) == pytest.approx(people, rel=0.35)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.45])
def test_the_share_under_water_is_measured(share: float) -> None:
    def draw(picture: Image, time: float) -> None:
        flood(picture, min(share, max(0.0, (time - 3) * 0.05)), time)

    zone = {"street": [(0.02, 0.3), (0.98, 0.3), (0.98, 0.99), (0.02, 0.99)]}
    made = found(play(40, draw, fps=1), algorithm="water", zones=zone, fps=1.0, threshold=0.25, seconds=6.0)
    assert np.mean(levels(made, 30.0)) == pytest.approx(share / 0.7, abs=0.08)
    assert [finding.place for _, finding in alarms(made)] == (["street"] if share > 0.2 else [])


def test_a_parked_car_is_no_water() -> None:
    made = found(play(40, driving((120.0, 120.0, 0.0, 4.0)), fps=1), algorithm="water", zones=WHOLE, fps=1.0, threshold=0.02)
    assert max(levels(made, 10.0)) < 0.02


def test_smoke_is_told_and_a_car_that_drives_through_is_not() -> None:
    zone = {"yard": [(0.2, 0.05), (0.8, 0.05), (0.8, 0.9), (0.2, 0.9)]}
    plan: dict[str, Any] = {"algorithm": "smoke", "zones": zone, "threshold": 0.08, "seconds": 3.0}
    smoking = alarms(found(play(20, lambda picture, time: veil(picture, time, 5.0)), **plan))
    assert [finding.place for _, finding in smoking] == ["yard"]
    assert smoking[0][0] > 5
    assert alarms(found(play(20, driving((-30.0, 100.0, 25.0, 3.0))), **plan)) == []


def test_a_river_that_turns_another_colour_is_told() -> None:
    def draw(picture: Image, time: float) -> None:
        picture[110:] = (90, 110, 80) if time < 8 else (40, 60, 190)

    zone = {"river": [(0.05, 0.7), (0.95, 0.7), (0.95, 0.95), (0.05, 0.95)]}
    made = alarms(found(play(20, draw), algorithm="colour", zones=zone, threshold=20.0, seconds=4.0))
    assert [(finding.place, round(finding.began or 0)) for _, finding in made] == [("river", 8)]


def covered(picture: Image, time: float) -> None:
    """A cap on the lens after six seconds."""
    if time >= 6:
        picture[:] = 12


def defocused(picture: Image, time: float) -> None:
    """Out of focus after six seconds."""
    import cv2

    if time >= 6:
        picture[:] = cv2.GaussianBlur(picture, (41, 41), 0)


def turned(picture: Image, time: float) -> None:
    """Another view after six seconds."""
    if time >= 6:
        picture[:] = np.ascontiguousarray(road(77)[::-1, ::-1])


@pytest.mark.parametrize(("draw", "detail"), [(covered, "blind"), (defocused, "defocused"), (turned, "moved")])
def test_a_camera_that_was_tampered_with_is_told_once_with_how(draw: Draw, detail: str) -> None:
    made = alarms(found(play(25, draw), algorithm="tamper", seconds=4.0))
    assert [(finding.detail, round(finding.began or 0)) for _, finding in made] == [(detail, 6)]


def test_a_picture_that_stands_still_is_told_as_frozen() -> None:
    frames = list(play(6, lambda picture, time: None))
    still = [*frames, *((frames[-1][0], 6 + i / 5) for i in range(100))]
    assert [finding.detail for _, finding in alarms(found(still, algorithm="tamper", seconds=4.0))] == ["frozen"]


@pytest.mark.parametrize("algorithm", ["stay", "intrusion", "crowd", "water", "smoke", "colour", "tamper", "line_count"])
def test_an_empty_street_raises_nothing_even_when_the_light_changes(algorithm: str) -> None:
    def draw(picture: Image, time: float) -> None:
        picture[:] = np.clip(picture * (1 + 0.25 * np.sin(time / 3)), 0, 255)

    usual = {"crowd": 5.0, "water": 0.1, "smoke": 0.08, "colour": 20.0}
    places: dict[str, Any] = {"zones": WHOLE}
    if algorithm in ("tamper", "line_count"):
        places = {} if algorithm == "tamper" else {"lines": {"a": [(0.5, 0.1), (0.5, 0.9)]}}
    made = found(play(30, draw), algorithm=algorithm, threshold=usual.get(algorithm, 0.0), seconds=2.0, **places)
    assert [finding for _, finding in made if finding.kind in ("alarm", "count")] == []


def frames_of(*pictures: Image) -> Iterator[tuple[Image, float]]:
    """Pictures half a second apart."""
    yield from ((picture, index / 2) for index, picture in enumerate(pictures))


def test_pictures_of_odd_and_tiny_sizes_are_looked_at() -> None:
    for width, height in ((33, 17), (101, 75), (640, 33)):
        pictures = [road(0, width, height) for _ in range(8)]
        for algorithm in ("stay", "water", "tamper", "smoke"):
            zones = {} if algorithm == "tamper" else WHOLE
            assert alarms(found(frames_of(*pictures), algorithm=algorithm, zones=zones, threshold=0.5)) == []
