-- The row of SensorThings in which a command shows as a Task.
ALTER TABLE devices_command ADD COLUMN task BIGINT;
CREATE INDEX devices_command_task ON devices_command (task);
CREATE INDEX devices_command_waiting ON devices_command (state, device);
-- Which TaskingCapability of SensorThings (id) stands for a command of a device.
CREATE TABLE devices_capability (
  id BIGINT PRIMARY KEY,
  code TEXT NOT NULL,
  command TEXT NOT NULL
);
CREATE UNIQUE INDEX devices_capability_command ON devices_capability (code, command);
