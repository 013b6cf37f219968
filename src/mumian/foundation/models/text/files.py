"""A text model as one file: plain arrays and JSON in a zip archive (npz), nothing that runs; checked before it is believed."""

import io
import zipfile
import zlib
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mumian.foundation.models.errors import BadModel
from mumian.foundation.models.text.features import Vocabulary
from mumian.foundation.models.text.model import Cases, Mixing, TextModel

FORMAT = "mumian-text-1"
MOST_BYTES = 256 * 1024 * 1024
_MOST_UNPACKED = 2 * MOST_BYTES
_ARRAYS: dict[str, tuple[str, int]] = {
    "about": ("uint8", 1), "text": ("uint64", 1), "head": ("uint64", 1), "tail": ("uint64", 1), "words": ("uint8", 1),
    "idf": ("float32", 1), "weights": ("float32", 2), "bias": ("float32", 1), "rare": ("bool", 1),
    "case_starts": ("int64", 1), "case_features": ("int32", 1), "case_values": ("float16", 1), "case_labels": ("int64", 1),
}  # fmt: skip
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, msgspec.DecodeError, OSError, EOFError, KeyError, ValueError, TypeError, RuntimeError,
    NotImplementedError, MemoryError,
)  # fmt: skip
Arrays = dict[str, NDArray[Any]]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is not an array: the format, the labels, the mixing, and the references of the cases."""

    format: str
    labels: list[str]
    mixing: list[float]
    references: list[str]


def packed(model: TextModel) -> bytes:
    """The file of a model."""
    known, cases, mixing = model.vocabulary, model.cases, model.mixing
    about = About(
        format=FORMAT,
        labels=list(model.labels),
        mixing=[mixing.linear, mixing.cases, mixing.both, mixing.threshold],
        references=list(cases.references),
    )
    arrays: Arrays = {
        "about": _bytes(msgspec.json.encode(about)),
        "text": known.text,
        "head": known.head,
        "tail": known.tail,
        "words": _bytes("\n".join(known.words).encode()),
        "idf": known.weights,
        "weights": model.weights,
        "bias": model.bias,
        "rare": cases.rare,
        "case_starts": cases.matrix.indptr.astype(np.int64),
        "case_features": cases.matrix.indices.astype(np.int32),
        "case_values": cases.matrix.data.astype(np.float16),
        "case_labels": cases.labels.astype(np.int64),
    }
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its other parameter is a boolean
    return file.getvalue()


def unpacked(content: bytes, name: str) -> TextModel:
    """The model in a file; raises BadModel, whatever the bytes are."""
    try:
        return _model(_arrays(content))
    except _Wrong as error:
        raise BadModel(name=name, reason=str(error)) from error
    except _UNREADABLE as error:
        raise BadModel(name=name, reason=f"{type(error).__name__}: {error}"[:200]) from error


class _Wrong(Exception):
    """What is wrong with a file."""


def _bytes(content: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(content, dtype=np.uint8)


def _arrays(content: bytes) -> Arrays:
    """The arrays, once archive, headers and sizes have been found to be in order; nothing is unpickled."""
    if len(content) > MOST_BYTES:
        raise _Wrong(f"more than {MOST_BYTES} bytes")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if {part.filename for part in parts} != {f"{name}.npy" for name in _ARRAYS} or len(parts) != len(_ARRAYS):
            raise _Wrong(f"not a file of the format {FORMAT}")
        if sum(part.file_size for part in parts) > _MOST_UNPACKED:
            raise _Wrong(f"more than {_MOST_UNPACKED} bytes when unpacked")
        found: Arrays = {}
        for name, (dtype, dimensions) in _ARRAYS.items():
            with archive.open(f"{name}.npy") as part:
                found[name] = np.lib.format.read_array(io.BytesIO(part.read(_MOST_UNPACKED)), allow_pickle=False)
            if found[name].dtype.name != dtype or found[name].ndim != dimensions:
                raise _Wrong(f"{name} is not {dtype} of {dimensions} dimensions")
    return found


def _model(arrays: Arrays) -> TextModel:
    about = msgspec.json.decode(arrays["about"].tobytes(), type=About)
    if about.format != FORMAT:
        raise _Wrong(f"not of the format {FORMAT}")
    words = tuple(arrays["words"].tobytes().decode().split("\n")) if len(arrays["words"]) else ()
    vocabulary = Vocabulary(arrays["text"], arrays["head"], arrays["tail"], words, arrays["idf"])
    _check(about, arrays, sum(vocabulary.sizes))
    from scipy import sparse

    values = (arrays["case_values"].astype(np.float32), arrays["case_features"], arrays["case_starts"])
    matrix = sparse.csr_matrix(values, shape=(len(about.references), sum(vocabulary.sizes)))
    cases = Cases(arrays["rare"], matrix, arrays["case_labels"], tuple(about.references))
    return TextModel(about.labels, vocabulary, arrays["weights"], arrays["bias"], cases, Mixing(*about.mixing))


def _check(about: About, arrays: Arrays, size: int) -> None:
    """Everything that a lookup relies on; raises _Wrong."""
    labels, cases = len(about.labels), len(about.references)
    shapes = {
        "idf": (size,), "weights": (size, labels), "bias": (labels,), "rare": (size,),
        "case_starts": (cases + 1,), "case_labels": (cases,), "case_values": arrays["case_features"].shape,
    }  # fmt: skip
    wrong = [name for name, shape in shapes.items() if arrays[name].shape != shape]
    wrong += [name for name in ("text", "head", "tail") if (arrays[name][1:] <= arrays[name][:-1]).any()]
    wrong += [name for name in ("idf", "weights", "bias", "case_values") if not np.isfinite(arrays[name]).all()]
    starts = arrays["case_starts"]
    if "case_starts" not in wrong:
        ends = (starts[0], starts[-1])
        wrong += ["case_starts"] if ends != (0, len(arrays["case_features"])) or (np.diff(starts) < 0).any() else []
    wrong += [
        name
        for name, most in (("case_features", size), ("case_labels", labels))
        if len(arrays[name]) and not (arrays[name].min() >= 0 and arrays[name].max() < most)
    ]
    if labels < 2 or len(set(about.labels)) != labels:
        wrong.append("labels")
    if len(about.mixing) != 4 or not np.isfinite(about.mixing).all() or min(about.mixing) < 0:
        wrong.append("mixing")
    if wrong:
        raise _Wrong("does not fit together: " + ", ".join(dict.fromkeys(wrong)))
