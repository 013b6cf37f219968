CREATE TABLE grids_grid (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_to TEXT NOT NULL,
  level TEXT NOT NULL,
  parent TEXT NOT NULL,
  title TEXT NOT NULL,
  kind TEXT NOT NULL,
  organisation TEXT NOT NULL,
  people TEXT NOT NULL,
  geometry TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  area DOUBLE PRECISION NOT NULL,
  batch TEXT NOT NULL,
  ended_by TEXT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE INDEX grids_grid_level ON grids_grid (level, code);
CREATE INDEX grids_grid_parent ON grids_grid (parent);
CREATE INDEX grids_grid_batch ON grids_grid (batch);
CREATE INDEX grids_grid_ended ON grids_grid (ended_by);
CREATE TABLE grids_lineage (
  batch TEXT NOT NULL,
  action TEXT NOT NULL,
  old TEXT NOT NULL,
  new TEXT NOT NULL,
  date TEXT NOT NULL,
  PRIMARY KEY (batch, old, new)
);
CREATE TABLE grids_building (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_to TEXT NOT NULL,
  title TEXT NOT NULL,
  grid TEXT NOT NULL,
  address TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  floors BIGINT NOT NULL,
  state TEXT NOT NULL,
  batch TEXT NOT NULL,
  ended_by TEXT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE INDEX grids_building_grid ON grids_building (grid, code);
CREATE INDEX grids_building_address ON grids_building (address);
CREATE INDEX grids_building_batch ON grids_building (batch);
CREATE INDEX grids_building_ended ON grids_building (ended_by);
CREATE TABLE grids_component (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_to TEXT NOT NULL,
  category TEXT NOT NULL,
  title TEXT NOT NULL,
  district TEXT NOT NULL,
  grid TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  owner TEXT NOT NULL,
  keeper TEXT NOT NULL,
  state TEXT NOT NULL,
  inspected TEXT NOT NULL,
  source TEXT NOT NULL,
  batch TEXT NOT NULL,
  ended_by TEXT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE INDEX grids_component_category ON grids_component (category, code);
CREATE INDEX grids_component_grid ON grids_component (grid, code);
CREATE INDEX grids_component_state ON grids_component (state, code);
CREATE INDEX grids_component_batch ON grids_component (batch);
CREATE INDEX grids_component_ended ON grids_component (ended_by);
CREATE TABLE grids_visit (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_to TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  purpose TEXT NOT NULL,
  state TEXT NOT NULL,
  organisation TEXT NOT NULL,
  assignee TEXT NOT NULL,
  due TEXT NOT NULL,
  result TEXT NOT NULL,
  note TEXT NOT NULL,
  evidence TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  done TEXT NOT NULL,
  done_by TEXT NOT NULL,
  batch TEXT NOT NULL,
  ended_by TEXT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE INDEX grids_visit_subject ON grids_visit (subject_kind, subject);
CREATE INDEX grids_visit_state ON grids_visit (state, code);
CREATE INDEX grids_visit_batch ON grids_visit (batch);
CREATE INDEX grids_visit_ended ON grids_visit (ended_by);
