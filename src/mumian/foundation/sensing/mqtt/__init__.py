"""The MQTT face: SensorThings over MQTT 3.1.1 and 5, by an embedded broker or as a client of another one."""
