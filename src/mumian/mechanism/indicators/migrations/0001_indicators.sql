CREATE TABLE indicators_measurement (
  indicator TEXT NOT NULL,
  time TEXT NOT NULL,
  value DOUBLE PRECISION,
  PRIMARY KEY (indicator, time)
);
CREATE TABLE indicators_vital_day (
  vital TEXT NOT NULL,
  key TEXT NOT NULL,
  day TEXT NOT NULL,
  value DOUBLE PRECISION,
  level TEXT,
  PRIMARY KEY (vital, key, day)
);
