CREATE TABLE catalog_stream (
  name TEXT PRIMARY KEY,
  stream BIGINT NOT NULL,
  owner TEXT,
  unit TEXT NOT NULL,
  observed_property TEXT NOT NULL,
  frequency_seconds BIGINT,
  entered_at TEXT NOT NULL,
  withdrawn BIGINT NOT NULL
);
