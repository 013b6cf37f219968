CREATE TABLE buildings_network (
  name TEXT NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL,
  changed TEXT NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  owner TEXT NOT NULL,
  source TEXT NOT NULL,
  crs TEXT NOT NULL,
  directed BIGINT NOT NULL,
  nodes BIGINT NOT NULL,
  edges BIGINT NOT NULL,
  file TEXT NOT NULL
);
CREATE TABLE buildings_pipe_node (
  network TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  ground DOUBLE PRECISION,
  invert DOUBLE PRECISION,
  depth DOUBLE PRECISION,
  PRIMARY KEY (network, id)
);
CREATE TABLE buildings_pipe_edge (
  network TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  a TEXT NOT NULL,
  b TEXT NOT NULL,
  length DOUBLE PRECISION,
  diameter DOUBLE PRECISION,
  material TEXT NOT NULL,
  year BIGINT,
  depth DOUBLE PRECISION,
  invert_a DOUBLE PRECISION,
  invert_b DOUBLE PRECISION,
  closed BIGINT NOT NULL,
  line TEXT NOT NULL,
  west DOUBLE PRECISION,
  south DOUBLE PRECISION,
  east DOUBLE PRECISION,
  north DOUBLE PRECISION,
  cell BIGINT NOT NULL,
  PRIMARY KEY (network, id)
);
CREATE INDEX buildings_pipe_edge_cell ON buildings_pipe_edge (cell);
