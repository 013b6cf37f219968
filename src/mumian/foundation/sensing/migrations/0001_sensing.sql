CREATE TABLE sensing_thing (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  properties TEXT NOT NULL,
  place TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  origin TEXT NOT NULL
);
CREATE INDEX sensing_thing_name ON sensing_thing (name);
CREATE TABLE sensing_sensor (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  encoding TEXT NOT NULL,
  metadata TEXT NOT NULL
);
CREATE INDEX sensing_sensor_name ON sensing_sensor (name);
CREATE TABLE sensing_property (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  description TEXT NOT NULL
);
CREATE INDEX sensing_property_name ON sensing_property (name);
CREATE TABLE sensing_stream (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  title_zh TEXT NOT NULL,
  title_en TEXT NOT NULL,
  description TEXT NOT NULL,
  thing BIGINT NOT NULL REFERENCES sensing_thing (id),
  sensor BIGINT NOT NULL REFERENCES sensing_sensor (id),
  property BIGINT NOT NULL REFERENCES sensing_property (id),
  unit TEXT NOT NULL,
  unit_name TEXT NOT NULL,
  unit_definition TEXT NOT NULL,
  owner TEXT,
  frequency_seconds BIGINT,
  minimum DOUBLE PRECISION,
  maximum DOUBLE PRECISION,
  origin TEXT NOT NULL,
  retired BIGINT NOT NULL,
  properties TEXT NOT NULL
);
CREATE TABLE sensing_fold (
  position BIGINT NOT NULL,
  source TEXT NOT NULL,
  first_id BIGINT NOT NULL,
  last_id BIGINT NOT NULL,
  observations BIGINT NOT NULL,
  streams BIGINT NOT NULL,
  start_time BIGINT NOT NULL,
  end_time BIGINT NOT NULL,
  digest TEXT NOT NULL,
  recorded BIGINT NOT NULL,
  PRIMARY KEY (first_id, last_id)
);
CREATE TABLE sensing_answer (
  key TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  answer TEXT NOT NULL,
  time BIGINT NOT NULL
);
CREATE INDEX sensing_answer_time ON sensing_answer (time);
