-- Exchange jobs: what they are told, how far they are, how they ended.
CREATE TABLE sharing_exchange (
  id TEXT PRIMARY KEY, version BIGINT NOT NULL, state TEXT NOT NULL, job TEXT NOT NULL, dataset TEXT NOT NULL, grant_id TEXT NOT NULL,
  holder TEXT NOT NULL, organisation TEXT NOT NULL, person TEXT NOT NULL, submitted TEXT NOT NULL, started TEXT NOT NULL,
  ended TEXT NOT NULL, attempts BIGINT NOT NULL, cancelling BIGINT NOT NULL, outcome TEXT NOT NULL
);
CREATE INDEX sharing_exchange_state ON sharing_exchange (state, id);
