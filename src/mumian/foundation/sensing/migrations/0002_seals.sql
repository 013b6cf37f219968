CREATE TABLE sensing_lake_file (
  name TEXT PRIMARY KEY
);
CREATE TABLE sensing_lake_state (
  id BIGINT PRIMARY KEY,
  pending BIGINT NOT NULL
);
INSERT INTO sensing_lake_state (id, pending) VALUES (1, 1);
