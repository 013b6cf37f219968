CREATE TABLE spatial_source (
  layer TEXT NOT NULL,
  source TEXT NOT NULL,
  digest TEXT NOT NULL,
  time TEXT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (layer, source, digest)
);
