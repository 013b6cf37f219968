CREATE TABLE warnings_warning (
  id TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  key TEXT NOT NULL,
  dimension TEXT NOT NULL,
  state TEXT NOT NULL,
  level TEXT NOT NULL,
  title TEXT NOT NULL,
  label TEXT NOT NULL,
  vital TEXT NOT NULL,
  value DOUBLE PRECISION,
  threshold DOUBLE PRECISION,
  raised_at TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  lifted_at TEXT,
  incident TEXT
);
CREATE UNIQUE INDEX warnings_warning_active ON warnings_warning (rule, key) WHERE lifted_at IS NULL;
CREATE INDEX warnings_warning_raised ON warnings_warning (raised_at, id);
CREATE TABLE warnings_track (
  rule TEXT NOT NULL,
  key TEXT NOT NULL,
  version BIGINT NOT NULL,
  track TEXT NOT NULL,
  PRIMARY KEY (rule, key)
);
