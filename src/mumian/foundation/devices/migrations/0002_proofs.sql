CREATE TABLE devices_proof (
  nonce TEXT PRIMARY KEY,
  expires TEXT NOT NULL
);
CREATE INDEX devices_proof_expires ON devices_proof (expires);
