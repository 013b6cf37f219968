CREATE TABLE vitals_progress (
  id BIGINT PRIMARY KEY,
  observation BIGINT NOT NULL
);
INSERT INTO vitals_progress (id, observation) VALUES (1, 0);
