CREATE TABLE ledger_lake_file (
  name TEXT PRIMARY KEY
);
CREATE TABLE ledger_lake_state (
  id BIGINT PRIMARY KEY,
  pending BIGINT NOT NULL,
  catalogue TEXT
);
INSERT INTO ledger_lake_state (id, pending) VALUES (1, 1);
