"""Opening an engine for a job: one DuckDB of one thread, with the job's functions, keys and references."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from mumian.elements.sharing.exchange import patterns, sources, statements
from mumian.elements.sharing.exchange.contracts import Job
from mumian.elements.sharing.exchange.engine.duck import BIGINT, BOOLEAN, VARCHAR, Duck
from mumian.elements.sharing.exchange.engine.judging import Judged
from mumian.foundation.cryptography.api import token_states

_BLOCK = 64


class Engine:
    """Copies chunks to files; `judged` tells afterwards what was found. `compiled`: whether its functions are machine code."""

    def __init__(self, duck: Duck, judged: Judged, compiled: bool) -> None:
        self.duck = duck
        self.judged = judged
        self.compiled = compiled


def native_functions() -> Any:
    """The compiled functions; None where numba is not installed."""
    try:
        from mumian.elements.sharing.exchange.engine import native
    except ImportError:
        return None
    return native


def open_engine(
    job: Job, rejecting: int, keys: Mapping[str, bytes], memory: str, staging: Path, attach: Sequence[str], compiled: bool = True
) -> Engine:
    """An engine; bit k of `rejecting` says that rule k keeps rows back. Raises EngineError."""
    native = native_functions() if compiled else None
    # One thread, so that a part's bytes depend on its rows alone.
    duck = Duck(threads="1", memory_limit=memory, temp_directory=str(staging), preserve_insertion_order="true")
    # Few rows are not held back for more to come: rows are written in the order in which they are read.
    duck.execute("SET enable_caching_operators = false")
    for statement in attach:
        duck.execute(statement)
    judged = Judged(job.chunk_rows, rejecting)
    _register_judge(duck, judged, native)
    for number, name in enumerate(statements.token_keys(job)):
        if job.tokens == "sm3":
            _register_token(duck, number, keys[name], native)
        else:
            _set_key(duck, number, keys[name])
    if native is not None:
        duck.register("mumian_id_card", native.id_card.address, BOOLEAN, (VARCHAR,))
        _register_patterns(duck, job, native)
    sources.prepare_references(job, duck, staging)
    return Engine(duck, judged, native is not None)


def _register_judge(duck: Duck, judged: Judged, native: Any) -> None:
    if native is not None:
        address, info, keep = native.judge.address, judged.state.ctypes.data, None
    else:
        from mumian.elements.sharing.exchange.engine import plain

        keep = plain.judge(judged)
        address, info = plain.address(keep), 0
    duck.register("mumian_judge", address, BOOLEAN, (BIGINT, BOOLEAN), info, BOOLEAN, (judged, keep))


def _register_token(duck: Duck, number: int, key: bytes, native: Any) -> None:
    states = token_states(key)
    if native is not None:
        duck.register(f"mumian_token_{number}", native.token.address, VARCHAR, (VARCHAR,), states.ctypes.data, keep=states)
        return
    from mumian.elements.sharing.exchange.engine import plain

    call = plain.token(states)
    duck.register(f"mumian_token_{number}", plain.address(call), VARCHAR, (VARCHAR,), keep=call)


def _register_patterns(duck: Duck, job: Job, native: Any) -> None:
    for number, rule in enumerate(job.rules):
        places = patterns.table(rule.pattern) if rule.kind == "pattern" else None
        if places is not None:
            info = np.concatenate([np.array([len(places)], np.int64).view(np.uint8), places.reshape(-1)])
            duck.register(f"mumian_pattern_{number}", native.pattern.address, BOOLEAN, (VARCHAR,), info.ctypes.data, keep=info)


def _set_key(duck: Duck, number: int, key: bytes) -> None:
    """The padded keys of HMAC-SHA-256 (RFC 2104) as variables."""
    padded = np.frombuffer((sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0"), np.uint8)
    for side, pad in (("i", 0x36), ("o", 0x5C)):
        duck.execute(f"SET VARIABLE token_{number}_{side} = unhex('{(padded ^ np.uint8(pad)).tobytes().hex()}')")
