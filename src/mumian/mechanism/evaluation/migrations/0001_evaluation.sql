CREATE TABLE evaluation_incident (
  number TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  district TEXT,
  organisation TEXT,
  opened_at TEXT NOT NULL,
  closed_at TEXT,
  version BIGINT NOT NULL,
  on_time BIGINT NOT NULL,
  hours DOUBLE PRECISION,
  next_due TEXT
);
CREATE INDEX evaluation_incident_closed ON evaluation_incident (closed_at);
