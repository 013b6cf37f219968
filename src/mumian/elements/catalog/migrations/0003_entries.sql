CREATE TABLE catalog_entry (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  origin TEXT,
  title_zh TEXT NOT NULL,
  title_en TEXT NOT NULL,
  owner TEXT,
  theme TEXT,
  duty TEXT,
  observes TEXT,
  share TEXT,
  opened TEXT,
  frequency_seconds BIGINT,
  formats TEXT NOT NULL,
  facts TEXT NOT NULL,
  digest TEXT NOT NULL,
  version BIGINT NOT NULL,
  document BIGINT NOT NULL,
  reached_at TEXT,
  held_rows BIGINT,
  score DOUBLE PRECISION,
  uses BIGINT NOT NULL,
  entered_at TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  stamp BIGINT NOT NULL UNIQUE,
  gone BIGINT NOT NULL
);
CREATE INDEX catalog_entry_owner ON catalog_entry (owner);
CREATE INDEX catalog_entry_duty ON catalog_entry (duty);
CREATE INDEX catalog_entry_origin ON catalog_entry (origin, name);
CREATE TABLE catalog_harvested (
  name TEXT PRIMARY KEY,
  origin TEXT NOT NULL,
  identifier TEXT NOT NULL,
  source_url TEXT,
  record TEXT NOT NULL,
  original TEXT NOT NULL,
  digest TEXT NOT NULL,
  UNIQUE (origin, identifier)
);
CREATE TABLE catalog_decision (
  element TEXT NOT NULL,
  dataset TEXT NOT NULL,
  field TEXT NOT NULL,
  role TEXT NOT NULL,
  reason TEXT NOT NULL,
  decided_at TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  PRIMARY KEY (element, dataset, field)
);
CREATE TABLE catalog_following (
  person TEXT NOT NULL,
  about TEXT NOT NULL,
  value TEXT NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (person, about, value)
);
CREATE INDEX catalog_following_value ON catalog_following (about, value);
CREATE TABLE catalog_notice (
  id BIGINT NOT NULL,
  person TEXT NOT NULL,
  event TEXT NOT NULL,
  dataset TEXT NOT NULL,
  detail TEXT NOT NULL,
  time TEXT NOT NULL,
  read_at TEXT,
  PRIMARY KEY (person, id)
);
