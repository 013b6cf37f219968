CREATE TABLE warnings_cap (
  identifier TEXT PRIMARY KEY,
  warning TEXT NOT NULL,
  number BIGINT NOT NULL,
  reference TEXT NOT NULL,
  message_type TEXT NOT NULL,
  sent TEXT NOT NULL,
  headline TEXT NOT NULL,
  content TEXT NOT NULL
);
CREATE UNIQUE INDEX warnings_cap_warning ON warnings_cap (warning, number);
CREATE INDEX warnings_cap_sent ON warnings_cap (sent, identifier);
CREATE TABLE warnings_received (
  reference TEXT PRIMARY KEY,
  identifier TEXT NOT NULL,
  sender TEXT NOT NULL,
  status TEXT NOT NULL,
  message_type TEXT NOT NULL,
  event TEXT NOT NULL,
  severity TEXT NOT NULL,
  headline TEXT NOT NULL,
  area TEXT NOT NULL,
  expires TEXT,
  received TEXT NOT NULL,
  replaced_by TEXT,
  digest TEXT NOT NULL,
  content TEXT NOT NULL
);
CREATE INDEX warnings_received_time ON warnings_received (received, reference);
