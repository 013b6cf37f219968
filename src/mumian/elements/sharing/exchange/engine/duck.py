"""DuckDB through the C interface that its Python wheel exports (as it must for ADBC): there functions can be compiled code.

DuckDB's Python interface calls functions value by value, or needs pyarrow; this one gives them vectors where they lie.
"""

import ctypes
import importlib
import threading
from ctypes import POINTER, byref, c_char_p, c_int, c_uint64, c_void_p
from typing import Any

BOOLEAN, BIGINT, VARCHAR = 1, 5, 17
_RESULT_BYTES = 128


class EngineError(Exception):
    """What DuckDB says went wrong."""


class Interrupted(EngineError):
    """The query was ended from outside."""


def library() -> ctypes.CDLL:
    """DuckDB's own library, with the types of what is called here."""
    found = ctypes.CDLL(importlib.import_module("_duckdb").__file__)
    for name, result, *arguments in _FUNCTIONS:
        function = getattr(found, f"duckdb_{name}")
        function.restype, function.argtypes = result, arguments
    return found


_FUNCTIONS: tuple[tuple[Any, ...], ...] = (
    ("open_ext", c_int, c_char_p, POINTER(c_void_p), c_void_p, POINTER(c_char_p)),
    ("close", None, POINTER(c_void_p)),
    ("connect", c_int, c_void_p, POINTER(c_void_p)),
    ("disconnect", None, POINTER(c_void_p)),
    ("interrupt", None, c_void_p),
    ("free", None, c_void_p),
    ("create_config", c_int, POINTER(c_void_p)),
    ("set_config", c_int, c_void_p, c_char_p, c_char_p),
    ("destroy_config", None, POINTER(c_void_p)),
    ("query", c_int, c_void_p, c_char_p, c_void_p),
    ("result_error", c_char_p, c_void_p),
    ("destroy_result", None, c_void_p),
    ("create_scalar_function", c_void_p),
    ("destroy_scalar_function", None, POINTER(c_void_p)),
    ("scalar_function_set_name", None, c_void_p, c_char_p),
    ("scalar_function_add_parameter", None, c_void_p, c_void_p),
    ("scalar_function_set_varargs", None, c_void_p, c_void_p),
    ("scalar_function_set_return_type", None, c_void_p, c_void_p),
    ("scalar_function_set_function", None, c_void_p, c_void_p),
    ("scalar_function_set_extra_info", None, c_void_p, c_void_p, c_void_p),
    ("scalar_function_set_special_handling", None, c_void_p),
    ("scalar_function_set_volatile", None, c_void_p),
    ("register_scalar_function", c_int, c_void_p, c_void_p),
    ("create_logical_type", c_void_p, c_int),
    ("destroy_logical_type", None, POINTER(c_void_p)),
    ("scalar_function_get_extra_info", c_void_p, c_void_p),
    ("scalar_function_set_error", None, c_void_p, c_char_p),
    ("data_chunk_get_size", c_uint64, c_void_p),
    ("data_chunk_get_column_count", c_uint64, c_void_p),
    ("data_chunk_get_vector", c_void_p, c_void_p, c_uint64),
    ("vector_get_data", c_void_p, c_void_p),
    ("vector_get_validity", c_void_p, c_void_p),
    ("vector_ensure_validity_writable", None, c_void_p),
    ("vector_assign_string_element_len", None, c_void_p, c_uint64, c_char_p, c_uint64),
)


class Duck:
    """A database in memory with one connection, for one thread at a time; only `interrupt` may be called from another."""

    def __init__(self, **settings: str) -> None:
        self._library = library()
        self._database, self._connection = c_void_p(), c_void_p()
        self._kept: list[Any] = []
        self._closing = threading.Lock()
        config, fault = c_void_p(), c_char_p()
        self._library.duckdb_create_config(byref(config))
        for name, value in {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", **settings}.items():
            if self._library.duckdb_set_config(config, name.encode(), value.encode()):
                raise EngineError(f"DuckDB does not take the setting {name}")
        failed = self._library.duckdb_open_ext(b":memory:", byref(self._database), config, byref(fault))
        self._library.duckdb_destroy_config(byref(config))
        if failed or self._library.duckdb_connect(self._database, byref(self._connection)):
            raise EngineError((fault.value or b"DuckDB does not open").decode("utf-8", "replace"))

    def execute(self, sql: str) -> None:
        """Run one statement or several; what they answer is let go. Raises EngineError, Interrupted."""
        result = ctypes.create_string_buffer(_RESULT_BYTES)
        failed = self._library.duckdb_query(self._connection, sql.encode(), result)
        message = (self._library.duckdb_result_error(result) or b"").decode("utf-8", "replace") if failed else ""
        self._library.duckdb_destroy_result(result)
        if failed:
            raise (Interrupted if message.startswith("INTERRUPT") else EngineError)(message)

    def register(
        self, name: str, address: int, returns: int, takes: tuple[int, ...], info: int = 0, rest: int = 0, keep: object = None
    ) -> None:
        """Make the code at `address`, a `void (info, chunk, vector)`, a function in SQL.

        It is called with every vector once, empty values included; `info` is the address of what it works with, and `keep`
        what must live as long as the function. `rest` is the type of any number of further arguments.
        """
        lib = self._library
        function = c_void_p(lib.duckdb_create_scalar_function())
        lib.duckdb_scalar_function_set_name(function, name.encode())
        for type_ in takes:
            self._typed(lib.duckdb_scalar_function_add_parameter, function, type_)
        if rest:
            self._typed(lib.duckdb_scalar_function_set_varargs, function, rest)
        self._typed(lib.duckdb_scalar_function_set_return_type, function, returns)
        lib.duckdb_scalar_function_set_function(function, address)
        lib.duckdb_scalar_function_set_extra_info(function, info or None, None)
        lib.duckdb_scalar_function_set_special_handling(function)
        lib.duckdb_scalar_function_set_volatile(function)
        failed = lib.duckdb_register_scalar_function(self._connection, function)
        lib.duckdb_destroy_scalar_function(byref(function))
        if failed:
            raise EngineError(f"DuckDB does not take the function {name}")
        self._kept.append(keep)

    def interrupt(self) -> None:
        """Let what runs end with Interrupted."""
        with self._closing:
            if self._connection.value is not None:
                self._library.duckdb_interrupt(self._connection)

    def close(self) -> None:
        """Let go of the database."""
        with self._closing:
            self._library.duckdb_disconnect(byref(self._connection))
            self._library.duckdb_close(byref(self._database))
            self._kept.clear()

    def _typed(self, take: Any, function: c_void_p, type_: int) -> None:
        made = c_void_p(self._library.duckdb_create_logical_type(type_))
        take(function, made)
        self._library.duckdb_destroy_logical_type(byref(made))
