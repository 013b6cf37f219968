CREATE TABLE infrastructure_facility (
  code TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  operator TEXT NOT NULL,
  address TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  district TEXT,
  state TEXT NOT NULL,
  built TEXT,
  properties TEXT NOT NULL,
  devices TEXT NOT NULL,
  streams TEXT NOT NULL,
  ends TEXT NOT NULL,
  plane TEXT NOT NULL,
  note TEXT NOT NULL,
  origin TEXT NOT NULL,
  changed TEXT NOT NULL,
  version BIGINT NOT NULL,
  digest TEXT NOT NULL
);
CREATE INDEX infrastructure_facility_kind ON infrastructure_facility (kind, code);
CREATE INDEX infrastructure_facility_owner ON infrastructure_facility (owner, code);
CREATE INDEX infrastructure_facility_district ON infrastructure_facility (district, code);
CREATE INDEX infrastructure_facility_state ON infrastructure_facility (state, code);
CREATE TABLE infrastructure_history (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  changes TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE TABLE infrastructure_status (
  code TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  since TEXT NOT NULL,
  reported TEXT NOT NULL,
  note TEXT NOT NULL
);
CREATE TABLE infrastructure_import (
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
CREATE TABLE infrastructure_measurement (
  measure TEXT NOT NULL,
  area TEXT NOT NULL,
  value DOUBLE PRECISION,
  numerator DOUBLE PRECISION NOT NULL,
  denominator DOUBLE PRECISION,
  as_of TEXT NOT NULL,
  published BIGINT NOT NULL,
  PRIMARY KEY (measure, area)
);
CREATE INDEX infrastructure_measurement_published ON infrastructure_measurement (published);
CREATE TABLE infrastructure_plan (
  id TEXT PRIMARY KEY,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  request TEXT NOT NULL,
  result TEXT NOT NULL,
  digest TEXT NOT NULL
);
