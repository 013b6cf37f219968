"""Models are plug-ins: a small one is learnt from made scenes, written as ONNX, registered by declaration, and decides."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from mumian.foundation.video.vision.inference import BadModel, Model
from mumian.kernel.declarations.documents import read_path, read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.foundation.video.conftest import Add, code, events, rows
from tests.foundation.video.scenes import Image, play, road, vehicle, write

SIDE = 16
LABELS = ["car", "truck"]


def truck(picture: Image, x: float, y: float) -> None:
    """A dump truck: twice as long as a car, a cab and a load of soil."""
    import cv2

    left, top = round(x - 42), round(y - 22)
    cv2.rectangle(picture, (left, top), (left + 84, top + 40), (20, 120, 20), -1)
    cv2.rectangle(picture, (left + 4, top - 6), (left + 58, top + 16), (40, 80, 130), -1)
    cv2.rectangle(picture, (left + 64, top + 4), (left + 82, top + 20), (230, 220, 200), -1)


def crops(count: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Cut-outs of cars and trucks as the tracker makes them, scaled to 16 × 16, with their labels."""
    import cv2

    rng = np.random.default_rng(seed)
    pictures, labels = [], []
    for index in range(count):
        scene, is_truck = road(int(rng.integers(50))), index % 2
        x, y = rng.uniform(80, 240), rng.uniform(70, 140)
        half = (46, 28) if is_truck else (24, 15)
        if is_truck:
            truck(scene, x, y)
        else:
            vehicle(scene, x, y, tuple(int(c) for c in rng.integers(20, 230, 3)))
        jitter = rng.uniform(0.9, 1.2, 2)
        x1, y1 = max(0, int(x - half[0] * jitter[0])), max(0, int(y - half[1] * jitter[1]))
        cut = scene[y1 : int(y + half[1] * jitter[1]), x1 : int(x + half[0] * jitter[0])]
        pictures.append(cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA)[:, :, ::-1].transpose(2, 0, 1) / 255)
        labels.append(is_truck)
    return np.array(pictures, np.float32), np.array(labels)


def train(seed: int = 0) -> onnx.ModelProto:
    """Logistic regression by gradient descent on the made crops, as an ONNX graph: Flatten, Gemm, Softmax."""
    pictures, labels = crops(240, seed)
    flat = pictures.reshape(len(pictures), -1)
    weights, bias = np.zeros((flat.shape[1], 2), np.float32), np.zeros(2, np.float32)
    wanted = np.eye(2, dtype=np.float32)[labels]
    for _ in range(400):
        scores = flat @ weights + bias
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        weights -= 0.05 * (flat.T @ (shares - wanted) / len(flat) + 1e-3 * weights)
        bias -= 0.05 * (shares - wanted).mean(axis=0)
    nodes = [
        helper.make_node("Flatten", ["picture"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["shares"]),
    ]
    graph = helper.make_graph(
        nodes,
        "trucks",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("shares", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made)
    return made


@pytest.fixture(scope="module")
def learnt() -> bytes:
    """The model's file."""
    return train().SerializeToString()


def declare_in(folder: Path, content: bytes, digest: str | None = None) -> Path:
    """A folder with the model and its declaration."""
    (folder / "trucks.onnx").write_bytes(content)
    (folder / "model.yaml").write_text(
        f"""
kind: VisionModel
name: trucks
title: {{zh: 车型, en: Vehicle types}}
spec:
  source: trucks.onnx
  sha256: "{digest or sha256(content).hexdigest()}"
  labels: [car, truck]
  licence: Apache-2.0
  origin: learnt from made scenes in the tests
""",
        "utf-8",
    )
    return folder


WATCH = """
kind: AnalyticTask
name: trucks
title: {{zh: 泥头车闯禁, en: Trucks where none may be}}
spec:
  algorithm: linger
  cameras: ["{camera}"]
  zones: [{{name: street, polygon: [[0.02, 0.25], [0.98, 0.25], [0.98, 0.98], [0.02, 0.98]]}}]
  seconds: 1.5
  model: trucks
  labels: [{label}]
"""


def test_a_model_knows_scenes_it_was_not_trained_on(learnt: bytes) -> None:
    model = Model(learnt, LABELS)
    pictures, labels = crops(60, seed=99)
    guessed = [int(model((p.transpose(1, 2, 0)[:, :, ::-1] * 255).astype(np.uint8)).argmax()) for p in pictures]
    assert np.mean(np.array(guessed) == labels) >= 0.95


@pytest.mark.parametrize("content", [b"", b"no model", onnx.ModelProto().SerializeToString()])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BadModel):
        Model(content, LABELS)


def test_a_model_with_other_labels_is_refused(learnt: bytes) -> None:
    with pytest.raises(BadModel, match="2 scores for 3 labels"):
        Model(learnt, [*LABELS, "bus"])


async def test_only_trucks_are_told_in_a_street_where_trucks_may_not_be(
    town: Platform, add: Add, files: Path, tmp_path: Path, learnt: bytes
) -> None:
    def draw(picture: Image, time: float) -> None:
        vehicle(picture, -30 + 40 * (time - 2), 140, (200, 60, 30))
        truck(picture, -60 + 40 * (time - 8), 90)

    write(files / "scene.mp4", play(18, draw))
    await add()
    await town.declarations.apply(read_path(declare_in(tmp_path, learnt)), "models")
    await town.declarations.apply(read_text(WATCH.format(camera=code(1), label="truck").encode()), "tasks")
    await town.settle()
    assert [(row["state"], row["detail"]) for row in rows(town, "SELECT * FROM video_run")] == [("finished", "")]
    [made] = events(town, "video.detection.made")
    assert made["detail"] == "truck"
    assert made["time"] > "2013-12-31T23:00:08"


async def test_a_model_that_is_not_what_its_digest_says_is_refused(town: Platform, tmp_path: Path, learnt: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        await town.declarations.apply(read_path(declare_in(tmp_path, learnt, "0" * 64)), "models")
    assert [(fault.field, fault.key) for fault in refused.value.faults] == [("spec.sha256", "video.model.digest")]


async def test_a_label_that_the_model_does_not_know_is_refused(town: Platform, tmp_path: Path, learnt: bytes) -> None:
    await town.declarations.apply(read_path(declare_in(tmp_path, learnt)), "models")
    with pytest.raises(Invalid) as refused:
        await town.declarations.apply(read_text(WATCH.format(camera=code(1), label="tank").encode()), "tasks")
    assert [fault.field for fault in refused.value.faults] == ["spec.labels[0]"]


async def test_a_file_that_is_no_model_fails_the_task_with_the_reason(
    town: Platform, add: Add, files: Path, tmp_path: Path
) -> None:
    write(files / "scene.mp4", play(3, lambda picture, time: None))
    await add()
    await town.declarations.apply(read_path(declare_in(tmp_path, b"no model")), "models")
    await town.declarations.apply(read_text(WATCH.format(camera=code(1), label="truck").encode()), "tasks")
    await town.settle()
    [run] = rows(town, "SELECT state, detail FROM video_run")
    assert run["state"] == "failed"
    assert run["detail"].startswith("model: it cannot be opened")
