"""Who is online: states of many devices at once from when they were last heard, with hysteresis against flapping."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Int8 = NDArray[np.int8]
UNKNOWN, ONLINE, LATE, OFFLINE = 0, 1, 2, 3
NAMES = ("unknown", "online", "late", "offline")
NEVER = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, eq=False)
class Rhythm:
    """What is expected of each device, in µs: the silence after which it is late or offline, and the beats to be online again."""

    late: Int64
    offline: Int64
    recover: Int64


@dataclass(frozen=True, eq=False)
class Watch:
    """What is known of each device: its state, when it was last heard (µs since 1970, or NEVER), and beats in a row."""

    states: Int8
    heard: Int64
    beats: Int64


def judge(watch: Watch, heard: Int64, now: int, listening: Int64, rhythm: Rhythm) -> Watch:
    """The next state of every device at `now`, given when each was last heard (µs; NEVER where not).

    Silence is counted only while the platform listened to the device, that is since `listening` (µs): who was online when the
    platform stopped is not late because it started again. Who is offline comes back only after `recover` beats without a pause
    in which it would have been late; who is late or was never heard of comes back with one. Hearing twice between two
    judgements is one beat; a word from so long ago that it would be late is none.
    """
    latest = np.maximum(watch.heard, heard)
    beat = latest > watch.heard
    pause = np.where(watch.heard == NEVER, 0, latest - np.maximum(watch.heard, 0))
    beats = np.where(beat, np.where(pause > rhythm.late, 1, watch.beats + 1), watch.beats)
    silence = now - np.maximum(latest, listening)
    beats = np.where(silence > rhythm.late, 0, beats)
    states = watch.states.copy()
    spoken = now - np.maximum(latest, 0) <= rhythm.late
    back = spoken & beat & ((states != OFFLINE) | (beats >= rhythm.recover))
    states[back] = ONLINE
    states[(states == ONLINE) & (silence > rhythm.late)] = LATE
    states[(states != OFFLINE) & (silence > rhythm.offline)] = OFFLINE
    return Watch(states, latest, np.minimum(beats, 1_000_000))
