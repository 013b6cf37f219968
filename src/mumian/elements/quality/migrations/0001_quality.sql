CREATE TABLE quality_pending (
  dataset TEXT PRIMARY KEY,
  trigger_name TEXT NOT NULL,
  since TEXT NOT NULL,
  stamp BIGINT NOT NULL
);
CREATE TABLE quality_run (
  number BIGINT PRIMARY KEY,
  dataset TEXT NOT NULL,
  trigger_name TEXT NOT NULL,
  at TEXT NOT NULL,
  load BIGINT NOT NULL,
  held_rows BIGINT NOT NULL,
  seconds DOUBLE PRECISION NOT NULL,
  readable BIGINT NOT NULL,
  reason TEXT,
  score DOUBLE PRECISION,
  dimensions TEXT NOT NULL,
  digest TEXT NOT NULL
);
CREATE INDEX quality_run_dataset ON quality_run (dataset, number);
CREATE TABLE quality_result (
  run BIGINT NOT NULL,
  rule TEXT NOT NULL,
  dataset TEXT NOT NULL,
  state TEXT NOT NULL,
  score DOUBLE PRECISION,
  checked BIGINT,
  failing BIGINT,
  measure DOUBLE PRECISION,
  bound DOUBLE PRECISION,
  whole BIGINT NOT NULL,
  load BIGINT NOT NULL,
  asked TEXT NOT NULL,
  detail TEXT NOT NULL,
  failing_rows TEXT NOT NULL,
  PRIMARY KEY (run, rule)
);
CREATE INDEX quality_result_rule ON quality_result (dataset, rule, run);
CREATE TABLE quality_state (
  dataset TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  run BIGINT NOT NULL,
  at TEXT NOT NULL,
  score DOUBLE PRECISION,
  dimensions TEXT NOT NULL,
  rules BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  due_at TEXT
);
CREATE INDEX quality_state_due ON quality_state (due_at);
CREATE INDEX quality_state_score ON quality_state (score, dataset);
CREATE TABLE quality_baseline (
  dataset TEXT NOT NULL,
  rule TEXT NOT NULL,
  asked TEXT NOT NULL,
  load BIGINT NOT NULL,
  bins TEXT NOT NULL,
  PRIMARY KEY (dataset, rule)
);
CREATE TABLE quality_ticket (
  number BIGINT PRIMARY KEY,
  dataset TEXT NOT NULL,
  rule TEXT NOT NULL,
  owner TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  opened_at TEXT NOT NULL,
  due_at TEXT NOT NULL,
  closed_at TEXT,
  reopened BIGINT NOT NULL,
  holding_since TEXT,
  remind_at TEXT,
  assignee TEXT,
  run BIGINT NOT NULL
);
CREATE INDEX quality_ticket_rule ON quality_ticket (dataset, rule, number);
CREATE INDEX quality_ticket_owner ON quality_ticket (owner, state, number);
CREATE INDEX quality_ticket_remind ON quality_ticket (remind_at);
CREATE INDEX quality_ticket_holding ON quality_ticket (holding_since);
CREATE TABLE quality_step (
  ticket BIGINT NOT NULL,
  number BIGINT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (ticket, number)
);
CREATE TABLE quality_profile (
  dataset TEXT PRIMARY KEY,
  load BIGINT NOT NULL,
  at TEXT NOT NULL,
  held_rows BIGINT NOT NULL,
  profile TEXT NOT NULL
);
CREATE TABLE quality_declined (
  dataset TEXT NOT NULL,
  suggestion TEXT NOT NULL,
  reason TEXT NOT NULL,
  declined_at TEXT NOT NULL,
  declined_by TEXT NOT NULL,
  PRIMARY KEY (dataset, suggestion)
);
