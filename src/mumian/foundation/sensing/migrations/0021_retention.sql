CREATE TABLE sensing_removal (
  number BIGINT PRIMARY KEY,
  facts TEXT NOT NULL
);
CREATE TABLE sensing_span (
  first_id BIGINT PRIMARY KEY,
  last_id BIGINT NOT NULL,
  kept BIGINT NOT NULL,
  digest TEXT NOT NULL
);
CREATE INDEX sensing_span_last ON sensing_span (last_id);
