CREATE TABLE sharing_application (
  number TEXT PRIMARY KEY,
  batch TEXT NOT NULL,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  stage TEXT NOT NULL,
  applicant TEXT NOT NULL,
  organisation TEXT,
  owner TEXT NOT NULL,
  bureau TEXT,
  review BIGINT NOT NULL,
  channel TEXT NOT NULL,
  access TEXT NOT NULL,
  items TEXT NOT NULL,
  purpose TEXT NOT NULL,
  use TEXT NOT NULL,
  basis TEXT NOT NULL,
  days BIGINT NOT NULL,
  way TEXT NOT NULL,
  frequency TEXT NOT NULL,
  quota TEXT NOT NULL,
  renews TEXT,
  applied_at TEXT NOT NULL,
  due TEXT,
  first_due TEXT,
  missed BIGINT NOT NULL,
  final BIGINT NOT NULL,
  decided_at TEXT,
  decided_by TEXT,
  reason TEXT NOT NULL,
  refusal_basis TEXT NOT NULL,
  answered_at TEXT,
  grants TEXT NOT NULL,
  digest TEXT NOT NULL
);
CREATE INDEX sharing_application_owner ON sharing_application (owner, number);
CREATE INDEX sharing_application_organisation ON sharing_application (organisation, number);
CREATE INDEX sharing_application_applicant ON sharing_application (applicant, number);
CREATE INDEX sharing_application_state ON sharing_application (state, number);
CREATE INDEX sharing_application_due ON sharing_application (due, number);
CREATE TABLE sharing_grant (
  id TEXT PRIMARY KEY,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  application TEXT NOT NULL,
  dataset TEXT NOT NULL,
  owner TEXT NOT NULL,
  holder TEXT NOT NULL,
  channel TEXT NOT NULL,
  item TEXT NOT NULL,
  purpose TEXT NOT NULL,
  way TEXT NOT NULL,
  quota TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  until TEXT NOT NULL,
  reason TEXT NOT NULL,
  digest TEXT NOT NULL
);
CREATE INDEX sharing_grant_holder ON sharing_grant (holder, id);
CREATE INDEX sharing_grant_owner ON sharing_grant (owner, id);
CREATE INDEX sharing_grant_dataset ON sharing_grant (dataset, state, id);
CREATE INDEX sharing_grant_until ON sharing_grant (state, until);
CREATE TABLE sharing_objection (
  number TEXT PRIMARY KEY,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  dataset TEXT NOT NULL,
  owner TEXT NOT NULL,
  reporter TEXT NOT NULL,
  organisation TEXT,
  grant_id TEXT,
  row_key TEXT NOT NULL,
  fields TEXT NOT NULL,
  description TEXT NOT NULL,
  expected TEXT NOT NULL,
  filed_at TEXT NOT NULL,
  due TEXT,
  missed BIGINT NOT NULL,
  ticket TEXT,
  answer TEXT NOT NULL,
  closed_at TEXT,
  digest TEXT NOT NULL
);
CREATE INDEX sharing_objection_owner ON sharing_objection (owner, number);
CREATE INDEX sharing_objection_reporter ON sharing_objection (reporter, number);
CREATE INDEX sharing_objection_due ON sharing_objection (due, number);
CREATE TABLE sharing_demand (
  number TEXT PRIMARY KEY,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  elements TEXT NOT NULL,
  purpose TEXT NOT NULL,
  basis TEXT NOT NULL,
  applicant TEXT NOT NULL,
  organisation TEXT,
  asked_at TEXT NOT NULL,
  due TEXT,
  missed BIGINT NOT NULL,
  duty TEXT,
  provider TEXT,
  dataset TEXT,
  answer TEXT NOT NULL,
  digest TEXT NOT NULL
);
CREATE INDEX sharing_demand_state ON sharing_demand (state, number);
CREATE INDEX sharing_demand_due ON sharing_demand (due, number);
CREATE TABLE sharing_delivery (
  number TEXT PRIMARY KEY,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  dataset TEXT NOT NULL,
  owner TEXT NOT NULL,
  holder TEXT NOT NULL,
  way TEXT NOT NULL,
  address TEXT NOT NULL,
  place TEXT NOT NULL,
  made_by TEXT NOT NULL,
  position BIGINT NOT NULL,
  trying BIGINT NOT NULL,
  load BIGINT NOT NULL,
  rows_sent BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  next_at TEXT,
  error TEXT NOT NULL,
  digest TEXT NOT NULL
);
CREATE INDEX sharing_delivery_grant ON sharing_delivery (grant_id, number);
CREATE INDEX sharing_delivery_next ON sharing_delivery (state, next_at);
CREATE TABLE sharing_history (
  thing TEXT NOT NULL,
  version BIGINT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (thing, version)
);
CREATE TABLE sharing_cart (
  person TEXT NOT NULL,
  dataset TEXT NOT NULL,
  item TEXT NOT NULL,
  added_at TEXT NOT NULL,
  PRIMARY KEY (person, dataset)
);
CREATE TABLE sharing_meter (
  grant_id TEXT NOT NULL,
  period TEXT NOT NULL,
  first_day TEXT NOT NULL,
  calls BIGINT NOT NULL,
  rows_had BIGINT NOT NULL,
  bytes_had BIGINT NOT NULL,
  PRIMARY KEY (grant_id, period, first_day)
);
CREATE INDEX sharing_meter_day ON sharing_meter (period, first_day);
CREATE TABLE sharing_receipt (
  number TEXT PRIMARY KEY,
  batch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  grant_id TEXT NOT NULL,
  time TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX sharing_receipt_batch ON sharing_receipt (batch, seq);
CREATE INDEX sharing_receipt_grant ON sharing_receipt (grant_id, number);
CREATE TABLE sharing_use (
  dataset TEXT PRIMARY KEY,
  calls BIGINT NOT NULL,
  told BIGINT NOT NULL
);
CREATE TABLE sharing_flow (
  flow TEXT NOT NULL,
  district TEXT NOT NULL,
  target TEXT NOT NULL,
  load BIGINT NOT NULL,
  wanted BIGINT NOT NULL,
  whole BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  next_at TEXT,
  error TEXT NOT NULL,
  time TEXT,
  PRIMARY KEY (flow, district)
);
