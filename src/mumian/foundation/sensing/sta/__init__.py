"""The SensorThings face: OGC SensorThings API 1.1 over HTTP, at `/sta/v1.1`."""
