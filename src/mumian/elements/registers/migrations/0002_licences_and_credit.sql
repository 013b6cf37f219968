CREATE TABLE registers_licence (
  identifier TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  version BIGINT NOT NULL,
  holder_code TEXT NOT NULL,
  holder_name TEXT NOT NULL,
  issuer TEXT NOT NULL,
  fields TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_to TEXT,
  status TEXT NOT NULL,
  code TEXT NOT NULL UNIQUE,
  digest TEXT NOT NULL,
  issued_at TEXT NOT NULL,
  issued_by TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  reason TEXT,
  previous TEXT
);
CREATE INDEX registers_licence_holder ON registers_licence (holder_code, identifier);
CREATE INDEX registers_licence_type ON registers_licence (type, identifier);
CREATE TABLE registers_fact (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  subject_name TEXT NOT NULL,
  organisation TEXT NOT NULL,
  document TEXT NOT NULL,
  content TEXT NOT NULL,
  decided_on TEXT NOT NULL,
  expires_on TEXT NOT NULL,
  status TEXT NOT NULL,
  recorded_at TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  reason TEXT,
  UNIQUE (organisation, document, subject, kind)
);
CREATE INDEX registers_fact_subject ON registers_fact (subject, id);
CREATE TABLE registers_repair (
  id TEXT PRIMARY KEY,
  fact TEXT NOT NULL,
  grounds TEXT NOT NULL,
  state TEXT NOT NULL,
  applied_at TEXT NOT NULL,
  applied_by TEXT NOT NULL,
  decided_at TEXT,
  decided_by TEXT,
  reason TEXT
);
CREATE INDEX registers_repair_fact ON registers_repair (fact, id);
