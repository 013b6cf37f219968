CREATE TABLE kernel_sequence (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
CREATE TABLE kernel_outbox (
  id BIGINT PRIMARY KEY,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  payload TEXT NOT NULL
);
CREATE TABLE kernel_consumer (name TEXT PRIMARY KEY, position BIGINT NOT NULL);
CREATE TABLE kernel_dead_letter (
  consumer TEXT NOT NULL,
  event BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  error TEXT NOT NULL,
  time TEXT NOT NULL,
  PRIMARY KEY (consumer, event)
);
CREATE TABLE kernel_idempotency (
  key TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  status BIGINT NOT NULL,
  headers TEXT NOT NULL,
  body TEXT NOT NULL,
  time TEXT NOT NULL
);
CREATE INDEX kernel_idempotency_time ON kernel_idempotency (time);
CREATE TABLE declaration_current (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  document TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (kind, name)
);
CREATE TABLE declaration_change (
  revision BIGINT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  old_document TEXT,
  old_source TEXT,
  new_document TEXT,
  source TEXT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY (revision, kind, name)
);
CREATE INDEX declaration_change_name ON declaration_change (kind, name);
CREATE TABLE declaration_folder (source TEXT PRIMARY KEY, digest TEXT NOT NULL);
