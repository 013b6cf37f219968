"""Storage, for the composition root: opens the engine that the settings name for each port; and bare DuckDB for other parts."""

from mumian.foundation.storage.lake import arrays, extensions
from mumian.foundation.storage.objects.opening import open_objects as open_objects
from mumian.foundation.storage.ports import open_ports as open_ports
from mumian.foundation.storage.records.opening import open_records as open_records

connect_duckdb = extensions.connect
offer_arrays = arrays.offer
