CREATE TABLE collection_run (
    id TEXT PRIMARY KEY,
    connector TEXT NOT NULL,
    dataset TEXT NOT NULL,
    spec TEXT NOT NULL,
    given TEXT,
    state TEXT NOT NULL,
    trigger_by TEXT NOT NULL,
    actor TEXT NOT NULL,
    queued_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    position TEXT,
    batches BIGINT NOT NULL DEFAULT 0,
    rows_read BIGINT NOT NULL DEFAULT 0,
    rows_good BIGINT NOT NULL DEFAULT 0,
    rows_bad BIGINT NOT NULL DEFAULT 0,
    rows_mended BIGINT NOT NULL DEFAULT 0,
    bytes_read BIGINT NOT NULL DEFAULT 0,
    rows_total BIGINT,
    watermark TEXT,
    profile TEXT NOT NULL DEFAULT '{}',
    guessed TEXT NOT NULL DEFAULT '{}',
    drift TEXT,
    error TEXT,
    load_number BIGINT,
    cancelled BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX collection_run_by_connector ON collection_run (connector, id);
CREATE INDEX collection_run_by_state ON collection_run (state, id);
CREATE TABLE collection_fault (
    run TEXT NOT NULL,
    number BIGINT NOT NULL,
    place TEXT NOT NULL,
    line BIGINT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    key TEXT NOT NULL,
    expected TEXT NOT NULL,
    PRIMARY KEY (run, number)
);
CREATE TABLE collection_schema (
    connector TEXT PRIMARY KEY,
    columns TEXT NOT NULL,
    run TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    accepted_by TEXT NOT NULL
);
CREATE TABLE collection_watermark (
    connector TEXT PRIMARY KEY,
    watermark TEXT NOT NULL,
    run TEXT NOT NULL
);
CREATE TABLE collection_taken (
    connector TEXT NOT NULL,
    file TEXT NOT NULL,
    mark TEXT NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (connector, file)
);
CREATE TABLE collection_submission (
    id TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    dataset TEXT NOT NULL,
    subject TEXT NOT NULL,
    version BIGINT NOT NULL,
    row_values TEXT NOT NULL,
    origins TEXT NOT NULL,
    digest TEXT NOT NULL,
    actor TEXT NOT NULL,
    organisation TEXT,
    submitted_at TEXT NOT NULL,
    load_number BIGINT,
    UNIQUE (form, subject, version)
);
CREATE INDEX collection_submission_waiting ON collection_submission (load_number, dataset, id);
CREATE TABLE collection_harvest (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    state TEXT NOT NULL,
    actor TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    found BIGINT NOT NULL DEFAULT 0,
    entered BIGINT NOT NULL DEFAULT 0,
    left_count BIGINT NOT NULL DEFAULT 0,
    refused BIGINT NOT NULL DEFAULT 0,
    faults TEXT NOT NULL DEFAULT '[]',
    error TEXT
);
CREATE INDEX collection_harvest_by_source ON collection_harvest (source, id);
