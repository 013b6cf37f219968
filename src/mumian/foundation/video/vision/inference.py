"""Inference: a registered ONNX model as a classifier of pictures, on one thread of the processor."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mumian.foundation.video.vision.findings import Image
from mumian.foundation.video.vision.geometry import Polygon, raster


class BadModel(Exception):
    """The model's inputs or outputs are not those of a classifier of pictures: `1×3×H×W` of numbers in, one per label out."""


class Model:
    """A classifier: RGB in [0, 1] as 1×3×H×W float32, one score a label; scores that are no shares go through a softmax."""

    def __init__(self, content: bytes, labels: Sequence[str]) -> None:
        import onnxruntime  # type: ignore[import-untyped]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise BadModel(f"it cannot be opened: {str(error)[:200]}") from error
        inputs = self._session.get_inputs()
        shape = list(inputs[0].shape) if len(inputs) == 1 else []
        if len(shape) != 4 or shape[1] != 3 or not all(isinstance(side, int) and 0 < side <= 2048 for side in shape[2:]):
            raise BadModel(f"its input has the shape {shape or [list(i.shape) for i in inputs]}, not 1×3×H×W")
        self._name = inputs[0].name
        self._size = (shape[3], shape[2])
        self.labels = tuple(labels)
        scores = self._run(np.zeros((shape[2], shape[3], 3), np.uint8))
        if scores.shape != (len(self.labels),):
            raise BadModel(f"it gives {scores.size} scores for {len(self.labels)} labels")

    def __call__(self, picture: Image) -> NDArray[np.float32]:
        """The share of each label; they sum to 1."""
        if picture.size == 0:
            return np.full(len(self.labels), 1 / len(self.labels), np.float32)
        scores = self._run(picture)
        if scores.min() >= 0 and abs(float(scores.sum()) - 1) < 1e-3:
            return scores
        grown = np.exp(scores - scores.max())
        shares: NDArray[np.float32] = (grown / grown.sum()).astype(np.float32)
        return shares

    def _run(self, picture: Image) -> NDArray[np.float32]:
        scaled = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        tensor = np.ascontiguousarray(scaled[:, :, ::-1].transpose(2, 0, 1)[None], np.float32) / 255
        return np.asarray(self._session.run(None, {self._name: tensor})[0], np.float32).reshape(-1)


def zone_of(frame: Image, polygon: Polygon) -> Image:
    """The bounding box of a zone, black outside of it."""
    height, width = frame.shape[:2]
    mask = raster([polygon], width, height)
    x, y, w, h = cv2.boundingRect(mask)
    return cv2.bitwise_and(frame, frame, mask=mask)[y : y + h, x : x + w]
