CREATE TABLE registers_register (
  name TEXT PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,
  wanted BIGINT NOT NULL,
  done BIGINT NOT NULL,
  fingerprint TEXT,
  model TEXT,
  relearn BIGINT NOT NULL
);
CREATE TABLE registers_run (
  register TEXT NOT NULL,
  number BIGINT NOT NULL,
  state TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  wanted BIGINT NOT NULL,
  whole BIGINT NOT NULL,
  counts TEXT NOT NULL,
  error TEXT,
  PRIMARY KEY (register, number)
);
CREATE TABLE registers_decision (
  register TEXT NOT NULL,
  a BIGINT NOT NULL,
  b BIGINT NOT NULL,
  verdict TEXT NOT NULL,
  reason TEXT NOT NULL,
  decided_at TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  PRIMARY KEY (register, a, b)
);
CREATE TABLE registers_waiting (
  register TEXT NOT NULL,
  record BIGINT NOT NULL,
  stamp BIGINT NOT NULL,
  PRIMARY KEY (register, record)
);
