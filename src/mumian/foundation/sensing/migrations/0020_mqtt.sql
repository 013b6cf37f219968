CREATE TABLE sensing_retained (
  topic TEXT PRIMARY KEY,
  payload TEXT NOT NULL,
  qos BIGINT NOT NULL,
  properties TEXT NOT NULL,
  actor TEXT NOT NULL
);
CREATE TABLE sensing_refusal (
  id BIGINT PRIMARY KEY,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  client TEXT NOT NULL,
  topic TEXT NOT NULL,
  payload TEXT NOT NULL,
  reason_zh TEXT NOT NULL,
  reason_en TEXT NOT NULL
);
