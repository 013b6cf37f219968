CREATE TABLE models_model (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  created TEXT NOT NULL
);
CREATE TABLE models_version (
  model TEXT NOT NULL,
  number BIGINT NOT NULL,
  state TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  data TEXT NOT NULL,
  evaluation TEXT NOT NULL,
  compared TEXT NOT NULL,
  registered TEXT NOT NULL,
  registered_by TEXT NOT NULL,
  decided TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (model, number)
);
CREATE INDEX models_version_state ON models_version (model, state);
