"""Files of buildings: strangers' bytes, unpacked within limits and read apart from the city where a native library does it."""
