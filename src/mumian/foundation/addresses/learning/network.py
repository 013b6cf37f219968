"""A bidirectional LSTM over embedded features, trained by Adam, in numpy alone (Hochreiter 1997; Kingma 2015)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
_BETA1, _BETA2, _EPSILON, _CLIP = 0.9, 0.999, 1e-8, 5.0


@dataclass(frozen=True)
class Batch:
    """Sequences of like length: feature ids (features, time, sequence), labels and lengths."""

    ids: Ints
    labels: Ints
    lengths: Ints

    @property
    def mask(self) -> Floats:
        """1 where a sequence has a token."""
        return (np.arange(self.ids.shape[1])[:, None] < self.lengths[None, :]).astype(np.float32)

    @property
    def backwards(self) -> Ints:
        """For each time the time that mirrors it within its sequence."""
        times = np.arange(self.ids.shape[1])[:, None]
        return np.where(times < self.lengths, self.lengths - 1 - times, times)


def batches(
    ids: Sequence[Ints], labels: Sequence[Ints], size: int, rng: np.random.Generator | None = None
) -> Iterator[tuple[Ints, Batch]]:
    """Batches of sequences of like length, with the positions they came from; in random order where `rng` is given."""
    lengths = np.array([sequence.shape[1] for sequence in ids])
    noise = rng.uniform(0, 1.5, len(lengths)) if rng is not None else np.zeros(len(lengths))
    order = np.argsort(lengths + noise, kind="stable")
    starts = np.arange(0, len(order), size)
    for start in rng.permutation(starts) if rng is not None else starts:
        chosen = order[start : start + size]
        longest = int(lengths[chosen].max())
        padded = np.zeros((ids[0].shape[0], longest, len(chosen)), np.int64)
        wanted = np.zeros((longest, len(chosen)), np.int64)
        for column, position in enumerate(chosen):
            padded[:, : lengths[position], column] = ids[position]
            wanted[: lengths[position], column] = labels[position]
        yield chosen, Batch(padded, wanted, lengths[chosen])


def _sigmoid(x: Floats) -> Floats:
    half: Floats = 0.5 * np.tanh(0.5 * x) + 0.5
    return half


class Network:
    """Embeddings of several features side by side, one LSTM in each direction, and a softmax over labels."""

    def __init__(self, weights: dict[str, Floats]) -> None:
        self.weights = weights
        self.features = sum(name.startswith("e") for name in weights)

    @classmethod
    def fresh(cls, sizes: Sequence[tuple[int, int]], hidden: int, labels: int, seed: int) -> "Network":
        """A network with random weights; `sizes` are (values, dimensions) of each feature."""
        rng = np.random.default_rng(seed)
        width = sum(dimensions for _, dimensions in sizes)

        def uniform(*shape: int) -> Floats:
            bound = np.sqrt(6.0 / (shape[-1] + shape[-2]))
            return rng.uniform(-bound, bound, shape).astype(np.float32)

        weights = {f"e{i}": (rng.normal(0, 0.3, size)).astype(np.float32) for i, size in enumerate(sizes)}
        weights["w"], weights["u"] = uniform(2, width, 4 * hidden), uniform(2, hidden, 4 * hidden)
        weights["b"] = np.zeros((2, 1, 4 * hidden), np.float32)
        weights["b"][:, :, hidden : 2 * hidden] = 1.0
        weights["v"], weights["c"] = uniform(2 * hidden, labels), np.zeros(labels, np.float32)
        return cls(weights)

    def forward(
        self, batch: Batch, rng: np.random.Generator | None = None, dropout: float = 0.0
    ) -> tuple[Floats, dict[str, Any]]:
        """Probabilities (time, sequence, label) and what `backward` needs; with `rng` some inputs are dropped."""
        w = self.weights
        _, length, size = batch.ids.shape
        back, columns = batch.backwards, np.arange(size)[None, :]
        x = np.concatenate([w[f"e{i}"][batch.ids[i]] for i in range(self.features)], axis=2)
        drop_x = _drop(rng, x.shape, dropout)
        x = x * drop_x if drop_x is not None else x
        both = np.stack([x, x[back, columns]])
        pre = (both.reshape(2, length * size, -1) @ w["w"] + w["b"]).reshape(2, length, size, -1)
        states = self._states(pre)
        h = states["h"][:, 1:]
        out = np.concatenate([h[0], h[1][back, columns]], axis=2)
        drop_out = _drop(rng, out.shape, dropout)
        out = out * drop_out if drop_out is not None else out
        logits = out @ w["v"] + w["c"]
        logits -= logits.max(axis=2, keepdims=True)
        p = np.exp(logits)
        p /= p.sum(axis=2, keepdims=True)
        return p, {"both": both, "states": states, "out": out, "drop_x": drop_x, "drop_out": drop_out, "back": back}

    def _states(self, pre: Floats) -> dict[str, Floats]:
        _, length, size, four = pre.shape
        hidden, u = four // 4, self.weights["u"]
        h, c = np.zeros((2, length + 1, size, hidden), np.float32), np.zeros((2, length + 1, size, hidden), np.float32)
        gates, squashed = np.empty_like(pre), np.empty((2, length, size, hidden), np.float32)
        for t in range(length):
            z = (pre[:, t] + h[:, t] @ u).astype(np.float32, copy=False)
            gates[:, t, :, : 3 * hidden] = _sigmoid(z[:, :, : 3 * hidden])
            gates[:, t, :, 3 * hidden :] = np.tanh(z[:, :, 3 * hidden :])
            i, f, o, g = np.split(gates[:, t], 4, axis=2)
            c[:, t + 1] = f * c[:, t] + i * g
            squashed[:, t] = np.tanh(c[:, t + 1])
            h[:, t + 1] = o * squashed[:, t]
        return {"h": h, "c": c, "gates": gates, "squashed": squashed}

    def backward(self, batch: Batch, p: Floats, kept: dict[str, Any]) -> dict[str, Any]:
        """Gradients of the mean cross-entropy a token; those of embeddings as (rows, values)."""
        w, mask = self.weights, batch.mask
        _, length, size = batch.ids.shape
        columns = np.arange(size)[None, :]
        delta = p.copy()
        np.put_along_axis(delta, batch.labels[:, :, None], np.take_along_axis(delta, batch.labels[:, :, None], 2) - 1.0, 2)
        delta *= mask[:, :, None] / mask.sum()
        flat = delta.reshape(length * size, -1)
        grads: dict[str, Any] = {"v": kept["out"].reshape(length * size, -1).T @ flat, "c": flat.sum(axis=0)}
        d_out = (flat @ w["v"].T).reshape(length, size, -1)
        d_out = d_out * kept["drop_out"] if kept["drop_out"] is not None else d_out
        hidden = d_out.shape[2] // 2
        d_h = np.stack([d_out[:, :, :hidden], d_out[:, :, hidden:][kept["back"], columns]])
        d_pre = self._through_time(d_h, kept["states"]).reshape(2, length * size, -1)
        before = kept["states"]["h"][:, :-1].reshape(2, length * size, -1)
        grads["u"] = before.transpose(0, 2, 1) @ d_pre
        grads["w"] = kept["both"].reshape(2, length * size, -1).transpose(0, 2, 1) @ d_pre
        grads["b"] = d_pre.sum(axis=1, keepdims=True)
        d_both = (d_pre @ w["w"].transpose(0, 2, 1)).reshape(2, length, size, -1)
        d_x = d_both[0] + d_both[1][kept["back"], columns]
        d_x = d_x * kept["drop_x"] if kept["drop_x"] is not None else d_x
        start = 0
        for i in range(self.features):
            end = start + w[f"e{i}"].shape[1]
            grads[f"e{i}"] = _by_row(batch.ids[i].ravel(), d_x[:, :, start:end].reshape(length * size, -1))
            start = end
        return grads

    def _through_time(self, d_h: Floats, states: dict[str, Floats]) -> Floats:
        _, length, size, hidden = d_h.shape
        u = self.weights["u"].transpose(0, 2, 1)
        d_pre = np.empty((2, length, size, 4 * hidden), np.float32)
        carry_h, carry_c = np.zeros((2, size, hidden), np.float32), np.zeros((2, size, hidden), np.float32)
        for t in range(length - 1, -1, -1):
            i, f, o, g = np.split(states["gates"][:, t], 4, axis=2)
            squashed = states["squashed"][:, t]
            dh = d_h[:, t] + carry_h
            dc = carry_c + dh * o * (1 - squashed * squashed)
            parts = (
                dc * g * i * (1 - i),
                dc * states["c"][:, t] * f * (1 - f),
                dh * squashed * o * (1 - o),
                dc * i * (1 - g * g),
            )
            d_pre[:, t] = np.concatenate(parts, axis=2)
            carry_h, carry_c = d_pre[:, t] @ u, dc * f
        return d_pre


def _drop(rng: np.random.Generator | None, shape: tuple[int, ...], share: float) -> Floats | None:
    if rng is None or share <= 0:
        return None
    return (rng.random(shape, np.float32) >= share).astype(np.float32) / np.float32(1 - share)


def _by_row(rows: Ints, values: Floats) -> tuple[Ints, Floats]:
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return ordered[starts], np.add.reduceat(values[order], starts, axis=0)


class Adam:
    """Steps down the gradient; rows of embeddings move only when they were met."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._first = {name: np.zeros_like(value) for name, value in network.weights.items()}
        self._second = {name: np.zeros_like(value) for name, value in network.weights.items()}
        self._steps = 0

    def step(self, grads: dict[str, Any], rate: float) -> None:
        """One step, its gradient cut to a norm of 5."""
        self._steps += 1
        norm = np.sqrt(
            sum(float((g[1] if isinstance(g, tuple) else g).astype(np.float64).__pow__(2).sum()) for g in grads.values())
        )
        scale = np.float32(min(1.0, _CLIP / (norm + 1e-6)))
        rate = rate * float(np.sqrt(1 - _BETA2**self._steps) / (1 - _BETA1**self._steps))
        for name, grad in grads.items():
            rows, value = grad if isinstance(grad, tuple) else (slice(None), grad)
            value = value * scale
            first = self._first[name][rows] * _BETA1 + (1 - _BETA1) * value
            second = self._second[name][rows] * _BETA2 + (1 - _BETA2) * value * value
            self._first[name][rows], self._second[name][rows] = first, second
            self._network.weights[name][rows] -= (rate * first / (np.sqrt(second) + _EPSILON)).astype(np.float32)
