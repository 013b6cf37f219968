CREATE TABLE video_camera (
  code TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  source TEXT NOT NULL,
  shown TEXT NOT NULL,
  sealed TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  height DOUBLE PRECISION,
  heading DOUBLE PRECISION,
  field_of_view DOUBLE PRECISION,
  reach DOUBLE PRECISION,
  owner TEXT,
  operator TEXT,
  uses TEXT NOT NULL,
  groups TEXT NOT NULL,
  tags TEXT NOT NULL,
  masks TEXT NOT NULL,
  store_masked BIGINT NOT NULL,
  recorded_from TEXT,
  retention_days BIGINT NOT NULL,
  monitored BIGINT NOT NULL,
  health TEXT NOT NULL,
  retired BIGINT NOT NULL,
  created TEXT NOT NULL,
  changed TEXT NOT NULL,
  version BIGINT NOT NULL,
  revision BIGINT NOT NULL
);
CREATE INDEX video_camera_revision ON video_camera (revision);
CREATE TABLE video_health (
  camera TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  since TEXT NOT NULL,
  checked TEXT NOT NULL,
  last_frame TEXT,
  fps DOUBLE PRECISION,
  width BIGINT,
  height BIGINT,
  failures BIGINT NOT NULL,
  successes BIGINT NOT NULL
);
CREATE INDEX video_health_checked ON video_health (checked, camera);
CREATE TABLE video_run (
  task TEXT NOT NULL,
  camera TEXT NOT NULL,
  version BIGINT NOT NULL,
  digest TEXT NOT NULL,
  state TEXT NOT NULL,
  detail TEXT NOT NULL,
  changed TEXT NOT NULL,
  PRIMARY KEY (task, camera)
);
CREATE TABLE video_detection (
  id TEXT PRIMARY KEY,
  task TEXT NOT NULL,
  camera TEXT NOT NULL,
  version BIGINT NOT NULL,
  algorithm TEXT NOT NULL,
  place TEXT NOT NULL,
  detail TEXT NOT NULL,
  time TEXT NOT NULL,
  began TEXT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  box TEXT,
  owner TEXT,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  picture TEXT,
  sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  masked BIGINT NOT NULL,
  expires TEXT NOT NULL
);
CREATE INDEX video_detection_time ON video_detection (time, id);
CREATE INDEX video_detection_camera ON video_detection (camera, time, id);
CREATE INDEX video_detection_task ON video_detection (task, time, id);
CREATE INDEX video_detection_expires ON video_detection (expires);
CREATE TABLE video_clip (
  id TEXT PRIMARY KEY,
  camera TEXT NOT NULL,
  origin TEXT NOT NULL,
  begins TEXT NOT NULL,
  ends TEXT NOT NULL,
  object TEXT,
  sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  codec TEXT NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  masked BIGINT NOT NULL,
  purpose TEXT NOT NULL,
  made_by TEXT NOT NULL,
  made TEXT NOT NULL,
  expires TEXT NOT NULL
);
CREATE INDEX video_clip_camera ON video_clip (camera, begins, id);
CREATE INDEX video_clip_begins ON video_clip (begins, id);
CREATE INDEX video_clip_expires ON video_clip (expires);
CREATE TABLE video_look (
  id TEXT PRIMARY KEY,
  camera TEXT NOT NULL,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  what TEXT NOT NULL,
  target TEXT NOT NULL,
  purpose TEXT NOT NULL,
  note TEXT NOT NULL,
  unmasked BIGINT NOT NULL
);
CREATE INDEX video_look_camera ON video_look (camera, id);
CREATE TABLE video_model (
  name TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL,
  content TEXT NOT NULL
);
