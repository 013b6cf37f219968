CREATE TABLE incidents_incident (
  number TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  district TEXT,
  label TEXT NOT NULL,
  organisation TEXT,
  assignee TEXT,
  opened_at TEXT NOT NULL,
  opened_by TEXT NOT NULL,
  due_accept TEXT,
  due_resolve TEXT,
  due_verify TEXT,
  next_due TEXT,
  missed TEXT NOT NULL,
  supervised BIGINT NOT NULL,
  dispatched_at TEXT,
  taken_at TEXT,
  resolved_at TEXT,
  verified_at TEXT,
  closed_at TEXT,
  warning TEXT,
  subject TEXT,
  evidence TEXT NOT NULL,
  version BIGINT NOT NULL,
  digest TEXT NOT NULL
);
CREATE INDEX incidents_incident_opened ON incidents_incident (opened_at, number);
CREATE INDEX incidents_incident_due ON incidents_incident (next_due) WHERE next_due IS NOT NULL;
CREATE INDEX incidents_incident_subject ON incidents_incident (subject) WHERE subject IS NOT NULL;
CREATE INDEX incidents_incident_open ON incidents_incident (opened_at, number) WHERE closed_at IS NULL;
CREATE TABLE incidents_history (
  number TEXT NOT NULL,
  version BIGINT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (number, version)
);
