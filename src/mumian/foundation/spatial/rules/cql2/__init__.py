"""CQL2, the filter language of the OGC: its JSON form compiled to DuckDB SQL with bound parameters."""

from mumian.foundation.spatial.rules.cql2.compiling import Compiled, Located, compile_filter

__all__ = ["Compiled", "Located", "compile_filter"]
