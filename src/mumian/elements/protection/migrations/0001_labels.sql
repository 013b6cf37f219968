CREATE TABLE protection_label (
  dataset TEXT NOT NULL,
  field TEXT NOT NULL,
  state TEXT NOT NULL,
  grade TEXT NOT NULL,
  personal TEXT NOT NULL,
  category TEXT,
  origin TEXT NOT NULL,
  evidence TEXT NOT NULL,
  reason TEXT,
  proposed_at TEXT NOT NULL,
  decided_at TEXT,
  decided_by TEXT,
  PRIMARY KEY (dataset, field)
);
CREATE INDEX protection_label_state ON protection_label (state, dataset, field);
CREATE TABLE protection_label_history (
  number BIGINT PRIMARY KEY,
  dataset TEXT NOT NULL,
  field TEXT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  state TEXT NOT NULL,
  grade TEXT NOT NULL,
  personal TEXT NOT NULL,
  category TEXT,
  origin TEXT NOT NULL,
  evidence TEXT NOT NULL,
  reason TEXT
);
CREATE INDEX protection_label_history_field ON protection_label_history (dataset, field, number);
