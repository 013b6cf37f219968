CREATE TABLE evaluation_incident (
  number TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  district TEXT,
  organisation TEXT,
  opened_at TEXT NOT NULL,
  taken_at TEXT,
  resolved_at TEXT,
  verified_at TEXT,
  closed_at TEXT,
  due_accept TEXT,
  due_resolve TEXT,
  due_verify TEXT,
  supervised BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX evaluation_incident_closed ON evaluation_incident (closed_at);
