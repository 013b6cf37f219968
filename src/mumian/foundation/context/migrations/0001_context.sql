CREATE TABLE context_entity (
  id TEXT PRIMARY KEY,
  number BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE TABLE context_change (
  number BIGINT PRIMARY KEY,
  entity TEXT NOT NULL,
  time BIGINT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX context_change_entity ON context_change (entity);
CREATE TABLE context_document (
  id TEXT PRIMARY KEY,
  address TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  time TEXT NOT NULL
);
CREATE INDEX context_document_address ON context_document (address);
CREATE TABLE context_subscription (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  context TEXT NOT NULL,
  owner TEXT NOT NULL,
  state TEXT NOT NULL,
  created TEXT NOT NULL,
  modified TEXT NOT NULL
);
CREATE TABLE context_notice (
  number BIGINT PRIMARY KEY,
  subscription TEXT NOT NULL,
  body TEXT NOT NULL,
  time TEXT NOT NULL
);
CREATE INDEX context_notice_subscription ON context_notice (subscription);
CREATE TABLE context_position (
  name TEXT PRIMARY KEY,
  value BIGINT NOT NULL
);
