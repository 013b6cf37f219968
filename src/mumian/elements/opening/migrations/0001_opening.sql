CREATE TABLE opening_check (
  dataset TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  load_number BIGINT NOT NULL,
  digest TEXT NOT NULL,
  result TEXT NOT NULL,
  checked_at TEXT NOT NULL
);
CREATE TABLE opening_due (
  dataset TEXT PRIMARY KEY,
  held BIGINT NOT NULL,
  since TEXT NOT NULL
);
CREATE TABLE opening_profile (
  dataset TEXT PRIMARY KEY,
  load_number BIGINT NOT NULL,
  profile TEXT NOT NULL,
  made_at TEXT NOT NULL
);
CREATE TABLE opening_record (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  id TEXT NOT NULL,
  declared TEXT NOT NULL,
  record TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  PRIMARY KEY (kind, name),
  UNIQUE (kind, id),
  UNIQUE (kind, declared)
);
CREATE TABLE opening_resource (
  id TEXT PRIMARY KEY,
  package TEXT NOT NULL
);
CREATE INDEX opening_resource_package ON opening_resource (package);
CREATE TABLE opening_file (
  resource TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  media TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  path TEXT NOT NULL,
  kept_at TEXT NOT NULL
);
CREATE TABLE opening_voice (
  number BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  dataset TEXT,
  owner TEXT,
  state TEXT NOT NULL,
  said TEXT NOT NULL,
  contact TEXT,
  person TEXT NOT NULL,
  filed_at TEXT NOT NULL,
  due TEXT,
  answer TEXT,
  answered_at TEXT,
  answered_by TEXT
);
CREATE INDEX opening_voice_kind ON opening_voice (kind, number);
CREATE INDEX opening_voice_dataset ON opening_voice (dataset, kind, number);
CREATE TABLE opening_rating (
  dataset TEXT NOT NULL,
  person TEXT NOT NULL,
  stars BIGINT NOT NULL,
  rated_at TEXT NOT NULL,
  PRIMARY KEY (dataset, person)
);
CREATE TABLE opening_usage (
  dataset TEXT NOT NULL,
  day TEXT NOT NULL,
  way TEXT NOT NULL,
  uses BIGINT NOT NULL,
  PRIMARY KEY (dataset, day, way)
);
