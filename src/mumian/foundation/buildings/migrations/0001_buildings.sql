CREATE TABLE buildings_building (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  changed TEXT NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  parent TEXT NOT NULL,
  footprint TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  west DOUBLE PRECISION,
  south DOUBLE PRECISION,
  east DOUBLE PRECISION,
  north DOUBLE PRECISION,
  area DOUBLE PRECISION NOT NULL,
  height DOUBLE PRECISION,
  ground DOUBLE PRECISION,
  storeys BIGINT,
  below BIGINT,
  use TEXT NOT NULL,
  year BIGINT,
  state TEXT NOT NULL,
  lods TEXT NOT NULL,
  shapes TEXT NOT NULL,
  crs TEXT NOT NULL,
  registered TEXT NOT NULL,
  address TEXT NOT NULL,
  owner TEXT NOT NULL,
  source TEXT NOT NULL,
  source_id TEXT NOT NULL,
  attributes TEXT NOT NULL,
  cell BIGINT NOT NULL,
  batch TEXT NOT NULL,
  newest BIGINT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE INDEX buildings_building_kind ON buildings_building (kind, newest, code);
CREATE INDEX buildings_building_cell ON buildings_building (cell, newest);
CREATE INDEX buildings_building_source ON buildings_building (source, source_id);
CREATE INDEX buildings_building_parent ON buildings_building (parent);
CREATE INDEX buildings_building_registered ON buildings_building (registered);
CREATE INDEX buildings_building_batch ON buildings_building (batch);
CREATE TABLE buildings_model (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  changed TEXT NOT NULL,
  schema TEXT NOT NULL,
  products BIGINT NOT NULL,
  classes TEXT NOT NULL,
  structure TEXT NOT NULL,
  digest TEXT NOT NULL,
  batch TEXT NOT NULL,
  newest BIGINT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE INDEX buildings_model_batch ON buildings_model (batch);
CREATE TABLE buildings_premises (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  changed TEXT NOT NULL,
  building TEXT NOT NULL,
  address TEXT NOT NULL,
  unit TEXT NOT NULL,
  room TEXT NOT NULL,
  source TEXT NOT NULL,
  as_of TEXT NOT NULL,
  people BIGINT,
  houses BIGINT,
  units BIGINT,
  facilities BIGINT,
  finding TEXT NOT NULL,
  visit TEXT NOT NULL,
  verified TEXT NOT NULL,
  batch TEXT NOT NULL,
  newest BIGINT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE INDEX buildings_premises_building ON buildings_premises (building, newest);
CREATE INDEX buildings_premises_address ON buildings_premises (address, newest);
CREATE INDEX buildings_premises_batch ON buildings_premises (batch);
