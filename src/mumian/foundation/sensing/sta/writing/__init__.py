"""The writing side of SensorThings: creating, changing and deleting entities, the same for HTTP, `$batch` and MQTT."""
