CREATE TABLE understanding_text (
  incident TEXT PRIMARY KEY,
  time TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  person TEXT NOT NULL,
  told TEXT NOT NULL
);
CREATE INDEX understanding_text_unread ON understanding_text (incident) WHERE told = '';
CREATE INDEX understanding_text_time ON understanding_text (time);
CREATE TABLE understanding_correction (
  id TEXT PRIMARY KEY,
  model TEXT NOT NULL,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  said TEXT NOT NULL,
  label TEXT NOT NULL,
  incident TEXT NOT NULL,
  time TEXT NOT NULL,
  person TEXT NOT NULL
);
CREATE INDEX understanding_correction_model ON understanding_correction (model, id);
