CREATE TABLE compute_job (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  organisation TEXT NOT NULL,
  person TEXT NOT NULL,
  parameters TEXT NOT NULL,
  ask TEXT NOT NULL,
  state TEXT NOT NULL,
  pool TEXT NOT NULL,
  placement TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  cancelling BIGINT NOT NULL,
  runner TEXT NOT NULL,
  submitted TEXT NOT NULL,
  placed TEXT NOT NULL,
  started TEXT NOT NULL,
  ended TEXT NOT NULL,
  result TEXT NOT NULL,
  core_hours DOUBLE PRECISION NOT NULL,
  gpu_hours DOUBLE PRECISION NOT NULL,
  memory_hours DOUBLE PRECISION NOT NULL,
  cost DOUBLE PRECISION NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX compute_job_state ON compute_job (state, id);
CREATE INDEX compute_job_organisation ON compute_job (organisation, id);
CREATE TABLE compute_utilisation (
  pool TEXT NOT NULL,
  id TEXT NOT NULL,
  time TEXT NOT NULL,
  cores DOUBLE PRECISION NOT NULL,
  memory DOUBLE PRECISION NOT NULL,
  gpus BIGINT NOT NULL,
  jobs BIGINT NOT NULL,
  PRIMARY KEY (pool, id)
);
CREATE TABLE compute_script (
  type TEXT PRIMARY KEY,
  file TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  content TEXT NOT NULL
);
