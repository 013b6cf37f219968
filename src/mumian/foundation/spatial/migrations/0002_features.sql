CREATE TABLE spatial_layer (
  name TEXT PRIMARY KEY,
  version BIGINT NOT NULL,
  base TEXT NOT NULL,
  base_version BIGINT NOT NULL,
  properties TEXT NOT NULL,
  updated TEXT NOT NULL
);
CREATE TABLE spatial_edit (
  layer TEXT NOT NULL,
  version BIGINT NOT NULL,
  feature TEXT NOT NULL,
  action TEXT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  geometry TEXT,
  properties TEXT,
  PRIMARY KEY (layer, version)
);
CREATE INDEX spatial_edit_feature ON spatial_edit (layer, feature, version);
CREATE TABLE spatial_import (
  layer TEXT NOT NULL,
  version BIGINT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  file TEXT NOT NULL,
  digest TEXT NOT NULL,
  mode TEXT NOT NULL,
  accepted BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  PRIMARY KEY (layer, version)
);
