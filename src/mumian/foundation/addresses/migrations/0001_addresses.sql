CREATE TABLE addresses_address (
  code TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_to TEXT NOT NULL,
  district TEXT NOT NULL,
  street TEXT NOT NULL,
  community TEXT NOT NULL,
  road TEXT NOT NULL,
  number TEXT NOT NULL,
  subroad TEXT NOT NULL,
  subnumber TEXT NOT NULL,
  poi TEXT NOT NULL,
  subpoi TEXT NOT NULL,
  building TEXT NOT NULL,
  unit TEXT NOT NULL,
  floor TEXT NOT NULL,
  room TEXT NOT NULL,
  standard TEXT NOT NULL,
  longitude DOUBLE PRECISION,
  latitude DOUBLE PRECISION,
  source TEXT NOT NULL,
  hash BIGINT NOT NULL,
  number_value BIGINT NOT NULL,
  tail TEXT NOT NULL,
  cell BIGINT,
  batch TEXT NOT NULL,
  closed_by TEXT NOT NULL,
  PRIMARY KEY (code, valid_from)
);
CREATE INDEX addresses_address_hash ON addresses_address (hash);
CREATE INDEX addresses_address_road ON addresses_address (road, number_value, tail) WHERE road <> '';
CREATE INDEX addresses_address_poi ON addresses_address (poi, tail) WHERE poi <> '';
CREATE INDEX addresses_address_community ON addresses_address (community, number_value) WHERE community <> '';
CREATE INDEX addresses_address_cell ON addresses_address (cell) WHERE cell IS NOT NULL;
CREATE INDEX addresses_address_batch ON addresses_address (batch);
CREATE INDEX addresses_address_closed ON addresses_address (closed_by) WHERE closed_by <> '';
CREATE TABLE addresses_term (
  kind TEXT NOT NULL,
  term TEXT NOT NULL,
  PRIMARY KEY (kind, term)
);
CREATE TABLE addresses_variant (
  variant TEXT NOT NULL,
  kind TEXT NOT NULL,
  term TEXT NOT NULL,
  PRIMARY KEY (variant, kind, term)
);
CREATE TABLE addresses_alias (
  element TEXT NOT NULL,
  alias TEXT NOT NULL,
  within TEXT NOT NULL,
  name TEXT NOT NULL,
  until TEXT NOT NULL,
  origin TEXT NOT NULL,
  PRIMARY KEY (element, alias, within, name)
);
CREATE INDEX addresses_alias_name ON addresses_alias (element, name);
CREATE INDEX addresses_alias_origin ON addresses_alias (origin);
