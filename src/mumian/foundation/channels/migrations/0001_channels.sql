CREATE TABLE channels_message (
  id TEXT PRIMARY KEY,
  key TEXT NOT NULL,
  channel TEXT NOT NULL,
  way TEXT NOT NULL,
  recipient TEXT NOT NULL,
  topic TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  about TEXT NOT NULL,
  urgency TEXT NOT NULL,
  created TEXT NOT NULL,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL,
  next_try TEXT,
  problem TEXT NOT NULL,
  done_at TEXT,
  read_at TEXT,
  acknowledged_at TEXT
);
CREATE UNIQUE INDEX channels_message_key ON channels_message (key, channel, recipient);
CREATE INDEX channels_message_due ON channels_message (next_try, id) WHERE next_try IS NOT NULL;
CREATE INDEX channels_message_inbox ON channels_message (recipient, id) WHERE way = 'inbox';
CREATE INDEX channels_message_topic ON channels_message (topic, id);
CREATE TABLE channels_contact (
  person TEXT NOT NULL,
  way TEXT NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (person, way)
);
