CREATE TABLE catalog_table (
  dataset TEXT PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,
  total_rows BIGINT NOT NULL,
  last_row BIGINT NOT NULL,
  loaded_at TEXT
);
CREATE TABLE catalog_load (
  number BIGINT PRIMARY KEY,
  dataset TEXT NOT NULL,
  mode TEXT NOT NULL,
  source TEXT NOT NULL,
  watermark TEXT,
  state TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  added_rows BIGINT,
  total_rows BIGINT,
  actor TEXT NOT NULL
);
CREATE INDEX catalog_load_dataset ON catalog_load (dataset, number);
