CREATE TABLE warnings_group (
  id TEXT PRIMARY KEY,
  route TEXT NOT NULL,
  labels TEXT NOT NULL,
  state TEXT NOT NULL,
  look_at TEXT
);
CREATE INDEX warnings_group_due ON warnings_group (look_at) WHERE look_at IS NOT NULL;
CREATE TABLE warnings_member (
  grouped TEXT NOT NULL,
  series TEXT NOT NULL,
  warning TEXT NOT NULL,
  labels TEXT NOT NULL,
  title TEXT NOT NULL,
  level BIGINT NOT NULL,
  lifted BIGINT NOT NULL,
  told BIGINT,
  changes TEXT NOT NULL,
  PRIMARY KEY (grouped, series)
);
CREATE INDEX warnings_member_series ON warnings_member (series);
CREATE TABLE warnings_notice (
  id TEXT PRIMARY KEY,
  grouped TEXT NOT NULL,
  route TEXT NOT NULL,
  time TEXT NOT NULL,
  kind TEXT NOT NULL,
  level TEXT NOT NULL,
  warnings TEXT NOT NULL,
  messages BIGINT NOT NULL
);
CREATE INDEX warnings_notice_grouped ON warnings_notice (grouped, id);
CREATE TABLE warnings_silence (
  id TEXT PRIMARY KEY,
  wanted TEXT NOT NULL,
  starts TEXT NOT NULL,
  ends TEXT NOT NULL,
  author TEXT NOT NULL,
  comment TEXT NOT NULL,
  created TEXT NOT NULL
);
CREATE INDEX warnings_silence_ends ON warnings_silence (ends);
