-- The whole entity model of SensorThings 1.1 with Tasking. Deleting removes the row of an entity; of a stream its id is kept.
-- JSON is text; west, south, east, north are the WGS 84 bounds of a geometry, NULL where it has none.
CREATE TABLE sensing_location (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  encoding TEXT NOT NULL,
  location TEXT NOT NULL,
  properties TEXT NOT NULL,
  west DOUBLE PRECISION,
  south DOUBLE PRECISION,
  east DOUBLE PRECISION,
  north DOUBLE PRECISION
);
CREATE INDEX sensing_location_name ON sensing_location (name);
CREATE TABLE sensing_thing_location (
  thing BIGINT NOT NULL REFERENCES sensing_thing (id),
  location BIGINT NOT NULL REFERENCES sensing_location (id),
  PRIMARY KEY (thing, location)
);
CREATE INDEX sensing_thing_location_location ON sensing_thing_location (location);
CREATE TABLE sensing_history (
  id BIGINT PRIMARY KEY,
  thing BIGINT NOT NULL REFERENCES sensing_thing (id),
  time TEXT NOT NULL
);
CREATE INDEX sensing_history_thing ON sensing_history (thing);
CREATE TABLE sensing_history_location (
  history BIGINT NOT NULL REFERENCES sensing_history (id),
  location BIGINT NOT NULL REFERENCES sensing_location (id),
  PRIMARY KEY (history, location)
);
CREATE INDEX sensing_history_location_location ON sensing_history_location (location);
-- A feature of interest; location is the place that it was made of, if it was made of one.
CREATE TABLE sensing_feature (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  encoding TEXT NOT NULL,
  feature TEXT NOT NULL,
  properties TEXT NOT NULL,
  location BIGINT,
  west DOUBLE PRECISION,
  south DOUBLE PRECISION,
  east DOUBLE PRECISION,
  north DOUBLE PRECISION
);
CREATE INDEX sensing_feature_name ON sensing_feature (name);
CREATE INDEX sensing_feature_location ON sensing_feature (location);

INSERT INTO sensing_location (id, name, description, encoding, location, properties, west, south, east, north)
SELECT id, place, place, 'application/geo+json',
  '{"type":"Point","coordinates":[' || CAST(longitude AS TEXT) || ',' || CAST(latitude AS TEXT) || ']}',
  '{}', longitude, latitude, longitude, latitude
FROM sensing_thing WHERE longitude IS NOT NULL;
INSERT INTO sensing_thing_location (thing, location) SELECT id, id FROM sensing_thing WHERE longitude IS NOT NULL;
INSERT INTO sensing_feature (id, name, description, encoding, feature, properties, location, west, south, east, north)
SELECT id, name, description, encoding, location, properties, id, west, south, east, north FROM sensing_location;
INSERT INTO kernel_sequence (name, value) SELECT 'sensing.location', MAX(id) FROM sensing_location HAVING MAX(id) IS NOT NULL;
INSERT INTO kernel_sequence (name, value) SELECT 'sensing.feature', MAX(id) FROM sensing_feature HAVING MAX(id) IS NOT NULL;

-- longitude and latitude of a thing say where it is now: the point of its present location, or the middle of its bounds.
-- feature is the feature of interest made of that place: what streams of the thing observe from now on.
ALTER TABLE sensing_thing DROP COLUMN place;
ALTER TABLE sensing_thing ADD COLUMN feature BIGINT;
UPDATE sensing_thing SET feature = id WHERE longitude IS NOT NULL;
-- metadata_json is set where the metadata of a sensor is no text; metadata is empty then.
ALTER TABLE sensing_sensor ADD COLUMN metadata_json TEXT;
ALTER TABLE sensing_sensor ADD COLUMN properties TEXT NOT NULL DEFAULT '{}';
ALTER TABLE sensing_property ADD COLUMN properties TEXT NOT NULL DEFAULT '{}';

-- A stream is a Datastream (multi = 0) or a MultiDatastream (multi = 1: units and observation_types are JSON lists, and
-- sensing_stream_property has its observed properties in their order, of which property is the first).
-- feature is the feature of interest of all its observations that name none themselves; observed_area is GeoJSON.
ALTER TABLE sensing_stream ADD COLUMN multi BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sensing_stream ADD COLUMN observation_type TEXT NOT NULL
  DEFAULT 'http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement';
ALTER TABLE sensing_stream ADD COLUMN units TEXT;
ALTER TABLE sensing_stream ADD COLUMN observation_types TEXT;
ALTER TABLE sensing_stream ADD COLUMN observed_area TEXT;
ALTER TABLE sensing_stream ADD COLUMN feature BIGINT;
-- moved_to is set once the thing has left the place that feature was made of: the feature that new observations name.
ALTER TABLE sensing_stream ADD COLUMN moved_to BIGINT;
UPDATE sensing_stream SET feature = thing WHERE thing IN (SELECT id FROM sensing_location);
UPDATE sensing_stream SET observed_area = (SELECT l.location FROM sensing_location l WHERE l.id = sensing_stream.thing);
CREATE INDEX sensing_stream_thing ON sensing_stream (thing);
CREATE INDEX sensing_stream_sensor ON sensing_stream (sensor);
CREATE INDEX sensing_stream_property_of ON sensing_stream (property);
CREATE INDEX sensing_stream_feature_of ON sensing_stream (feature);
CREATE INDEX sensing_stream_title ON sensing_stream (title_en);
-- Of a million streams, the few that must be known one by one before an observation of them is taken.
CREATE INDEX sensing_stream_special ON sensing_stream (id) WHERE retired = 1 OR minimum IS NOT NULL OR maximum IS NOT NULL
  OR moved_to IS NOT NULL OR multi = 1
  OR observation_type <> 'http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement';
CREATE TABLE sensing_stream_property (
  stream BIGINT NOT NULL REFERENCES sensing_stream (id),
  place BIGINT NOT NULL,
  property BIGINT NOT NULL REFERENCES sensing_property (id),
  PRIMARY KEY (stream, place)
);
CREATE INDEX sensing_stream_property_property ON sensing_stream_property (property);
-- Which features other than its own the observations of a stream name.
CREATE TABLE sensing_stream_feature (
  stream BIGINT NOT NULL,
  feature BIGINT NOT NULL,
  PRIMARY KEY (stream, feature)
);
CREATE INDEX sensing_stream_feature_feature ON sensing_stream_feature (feature);
-- Streams that were deleted: their observations rest in the lake as evidence and are shown no more.
CREATE TABLE sensing_deleted_stream (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  time TEXT NOT NULL
);
-- Observations that were changed or deleted: the row id of the lake is shown no more. Where successor is not NULL, that row has
-- what is true now, and is shown under the number id.
CREATE TABLE sensing_amendment (
  id BIGINT PRIMARY KEY,
  stream BIGINT NOT NULL,
  successor BIGINT,
  time TEXT NOT NULL
);
CREATE TABLE sensing_actuator (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  encoding TEXT NOT NULL,
  metadata TEXT NOT NULL,
  metadata_json TEXT,
  properties TEXT NOT NULL
);
CREATE TABLE sensing_capability (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  parameters TEXT NOT NULL,
  properties TEXT NOT NULL,
  thing BIGINT NOT NULL REFERENCES sensing_thing (id),
  actuator BIGINT NOT NULL REFERENCES sensing_actuator (id)
);
CREATE INDEX sensing_capability_thing ON sensing_capability (thing);
CREATE INDEX sensing_capability_actuator ON sensing_capability (actuator);
-- status: created, accepted, running, completed, failed, cancelled.
CREATE TABLE sensing_task (
  id BIGINT PRIMARY KEY,
  capability BIGINT NOT NULL REFERENCES sensing_capability (id),
  parameters TEXT NOT NULL,
  properties TEXT NOT NULL,
  status TEXT NOT NULL,
  created TEXT NOT NULL,
  changed TEXT NOT NULL
);
CREATE INDEX sensing_task_capability ON sensing_task (capability);
