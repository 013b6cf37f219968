"""Confining a process: resource limits, no new privileges, and by Landlock no files but its own and no TCP.

Landlock (Linux 5.13; TCP from ABI 4, Linux 6.7) needs no rights of its own and cannot be lifted by whoever is confined. The
numbers are those of the kernel's interface (linux/landlock.h, asm-generic/unistd.h), the same on all architectures.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_PATH_BENEATH = 1
_NO_NEW_PRIVS, _DEATH_SIGNAL, _SUBREAPER = 38, 1, 36
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_FIRST_ABI = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_TCP = 3
_OPEN = os.O_PATH | os.O_CLOEXEC
_libc = ctypes.CDLL(None, use_errno=True)


def abi() -> int:
    """The version of Landlock that the kernel offers; 0: none."""
    return max(int(_libc.syscall(_CREATE, None, ctypes.c_size_t(0), 1)), 0)


def be_reaper() -> None:
    """Let processes that lose their parent become children of this one, so that it can end them."""
    _libc.prctl(_SUBREAPER, 1, 0, 0, 0)


def limit(cpu_seconds: int, memory_bytes: int, file_bytes: int) -> None:
    """Bound CPU time, address space and file sizes of this process and its children; no cores; gone with its parent."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    _libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")


def confine(readable: Sequence[str], own: str) -> None:
    """Leave this process and its children only files below these places, and `own` to write in; needs no_new_privs."""
    version = abi()
    if version == 0:
        return
    files = _FIRST_ABI | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0) | (_IOCTL if version >= 5 else 0)
    handled = (ctypes.c_uint64 * 2)(files, _TCP if version >= 4 else 0)
    rules = int(_libc.syscall(_CREATE, ctypes.byref(handled), ctypes.c_size_t(16 if version >= 4 else 8), 0))
    if rules < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    read = _EXECUTE | _READ_FILE | _READ_DIR
    for place in readable:
        _allow(rules, place, read if Path(place).is_dir() else _EXECUTE | _READ_FILE)
    for device in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"):
        _allow(rules, device, _READ_FILE | _WRITE_FILE)
    _allow(rules, own, files)
    if _libc.syscall(_RESTRICT, rules, 0) != 0:
        raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    os.close(rules)


def _allow(rules: int, place: str, access: int) -> None:
    try:
        opened = os.open(place, _OPEN)
    except FileNotFoundError:
        return
    try:
        beneath = access.to_bytes(8, sys.byteorder) + opened.to_bytes(4, sys.byteorder, signed=True)
        if _libc.syscall(_ADD, rules, _PATH_BENEATH, beneath, 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock_add_rule", place)
    finally:
        os.close(opened)
