CREATE TABLE lineage_run (
  number BIGINT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  job TEXT NOT NULL,
  state TEXT NOT NULL,
  producer TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  analysed BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  event TEXT
);
CREATE INDEX lineage_run_job ON lineage_run (job, number);
CREATE INDEX lineage_run_unsent ON lineage_run (sent, number);
CREATE TABLE lineage_edge (
  source_dataset TEXT NOT NULL,
  source_field TEXT NOT NULL,
  target_dataset TEXT NOT NULL,
  target_field TEXT NOT NULL,
  job TEXT NOT NULL,
  kind TEXT NOT NULL,
  run BIGINT NOT NULL,
  PRIMARY KEY (source_dataset, source_field, target_dataset, target_field, job)
);
CREATE INDEX lineage_edge_target ON lineage_edge (target_dataset, target_field);
