CREATE TABLE search_document (
  id BIGINT PRIMARY KEY,
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  UNIQUE (scope, key)
);
CREATE TABLE search_term (
  scope TEXT NOT NULL,
  term TEXT NOT NULL,
  PRIMARY KEY (scope, term)
);
