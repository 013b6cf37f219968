CREATE TABLE identity_person (
  id TEXT PRIMARY KEY,
  login TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  organisation TEXT,
  roles TEXT NOT NULL,
  password TEXT NOT NULL,
  must_change_password BIGINT NOT NULL,
  disabled BIGINT NOT NULL,
  created TEXT NOT NULL
);
CREATE TABLE identity_session (
  id TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  created TEXT NOT NULL,
  expires TEXT NOT NULL
);
CREATE INDEX identity_session_person ON identity_session (person);
CREATE TABLE identity_token (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  person TEXT NOT NULL,
  title TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created TEXT NOT NULL,
  expires TEXT NOT NULL,
  revoked TEXT
);
CREATE INDEX identity_token_person ON identity_token (person);
CREATE TABLE identity_attempt (
  login_digest TEXT PRIMARY KEY,
  failures BIGINT NOT NULL,
  blocked_until TEXT NOT NULL
);
CREATE INDEX identity_attempt_blocked ON identity_attempt (blocked_until);
