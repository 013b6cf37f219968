CREATE TABLE ledger_entry (
  seq BIGINT PRIMARY KEY,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  leaf TEXT NOT NULL
);
CREATE INDEX ledger_entry_subject ON ledger_entry (subject, seq);
CREATE TABLE ledger_node (
  level BIGINT NOT NULL,
  position BIGINT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (level, position)
);
CREATE TABLE ledger_head (
  size BIGINT PRIMARY KEY,
  root TEXT NOT NULL,
  time TEXT NOT NULL,
  signatures TEXT NOT NULL
);
