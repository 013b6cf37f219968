CREATE TABLE vitals_value (
  vital TEXT NOT NULL,
  key TEXT NOT NULL,
  time TEXT NOT NULL,
  value DOUBLE PRECISION,
  state TEXT NOT NULL,
  level TEXT,
  version BIGINT NOT NULL,
  PRIMARY KEY (vital, key, time)
);
CREATE INDEX vitals_value_time ON vitals_value (vital, time);
