CREATE TABLE devices_device (
  code TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  maker TEXT NOT NULL,
  serial TEXT NOT NULL,
  owner TEXT NOT NULL,
  operator TEXT NOT NULL,
  address TEXT NOT NULL,
  grid TEXT NOT NULL,
  district TEXT,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  state TEXT NOT NULL,
  installed TEXT,
  maintained TEXT,
  retired TEXT,
  firmware TEXT NOT NULL,
  share TEXT NOT NULL,
  note TEXT NOT NULL,
  properties TEXT NOT NULL,
  streams TEXT NOT NULL,
  thing BIGINT,
  due TEXT,
  origin TEXT NOT NULL,
  changed TEXT NOT NULL,
  version BIGINT NOT NULL,
  digest TEXT NOT NULL,
  search TEXT NOT NULL,
  stamp BIGINT NOT NULL
);
CREATE INDEX devices_device_kind ON devices_device (kind, code);
CREATE INDEX devices_device_owner ON devices_device (owner, code);
CREATE INDEX devices_device_district ON devices_device (district, code);
CREATE INDEX devices_device_state ON devices_device (state, code);
CREATE INDEX devices_device_due ON devices_device (due);
CREATE INDEX devices_device_stamp ON devices_device (stamp);
CREATE TABLE devices_history (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  changes TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE TABLE devices_work (
  id TEXT PRIMARY KEY,
  code TEXT NOT NULL,
  type TEXT NOT NULL,
  day TEXT NOT NULL,
  due TEXT,
  result TEXT NOT NULL,
  certificate TEXT NOT NULL,
  party TEXT NOT NULL,
  cost DOUBLE PRECISION,
  note TEXT NOT NULL,
  recorded TEXT NOT NULL,
  actor TEXT NOT NULL
);
CREATE INDEX devices_work_code ON devices_work (code, day, id);
CREATE TABLE devices_presence (
  code TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  since TEXT NOT NULL,
  seen TEXT
);
CREATE INDEX devices_presence_state ON devices_presence (state, code);
CREATE TABLE devices_enrolment (
  code TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  expires TEXT NOT NULL
);
CREATE TABLE devices_credential (
  id TEXT PRIMARY KEY,
  code TEXT NOT NULL,
  type TEXT NOT NULL,
  public_key TEXT,
  created TEXT NOT NULL,
  expires TEXT,
  revoked TEXT
);
CREATE INDEX devices_credential_code ON devices_credential (code, id);
CREATE TABLE devices_command (
  id TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  command TEXT NOT NULL,
  parameters TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  created TEXT NOT NULL,
  actor TEXT NOT NULL,
  due TEXT,
  changed TEXT NOT NULL,
  result TEXT,
  version BIGINT NOT NULL
);
CREATE INDEX devices_command_device ON devices_command (device, id);
CREATE INDEX devices_command_due ON devices_command (due);
CREATE TABLE devices_import (
  id TEXT PRIMARY KEY,
  file TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  rows BIGINT NOT NULL,
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  unchanged BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  faults TEXT NOT NULL
);
