-- The tables of version 1, as an older gops made them.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE rows (
    id TEXT NOT NULL, incarnation BIGINT NOT NULL,
    holding TEXT NOT NULL, condition TEXT NOT NULL,
    kind TEXT NOT NULL, handler TEXT NOT NULL, handler_version BIGINT NOT NULL,
    target TEXT NOT NULL, identity TEXT NOT NULL, reach TEXT NOT NULL,
    claims TEXT NOT NULL, digest TEXT NOT NULL,
    fields TEXT NOT NULL, stamp TEXT NOT NULL, physical TEXT NOT NULL, token TEXT, outputs TEXT NOT NULL,
    requires TEXT NOT NULL, protect BIGINT NOT NULL, keep BIGINT NOT NULL, generation BIGINT NOT NULL,
    PRIMARY KEY (id, incarnation)
);
CREATE TABLE intents (
    number BIGINT PRIMARY KEY, epoch BIGINT NOT NULL, operation TEXT NOT NULL,
    before TEXT, intent_token TEXT NOT NULL,
    id TEXT NOT NULL, incarnation BIGINT NOT NULL,
    holding TEXT NOT NULL, condition TEXT NOT NULL,
    kind TEXT NOT NULL, handler TEXT NOT NULL, handler_version BIGINT NOT NULL,
    target TEXT NOT NULL, identity TEXT NOT NULL, reach TEXT NOT NULL,
    claims TEXT NOT NULL, digest TEXT NOT NULL,
    fields TEXT NOT NULL, stamp TEXT NOT NULL, physical TEXT NOT NULL, token TEXT, outputs TEXT NOT NULL,
    requires TEXT NOT NULL, protect BIGINT NOT NULL, keep BIGINT NOT NULL, generation BIGINT NOT NULL
);
CREATE TABLE generations (
    number BIGINT PRIMARY KEY, revision TEXT NOT NULL, desired TEXT NOT NULL, graph TEXT,
    started BIGINT NOT NULL, finished BIGINT
);
CREATE TABLE journal (
    number BIGINT PRIMARY KEY, serial BIGINT NOT NULL, time BIGINT NOT NULL,
    event TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL
);
INSERT INTO meta VALUES ('lineage', '0123'), ('serial', '4'), ('epoch', '2'), ('intent', '2');
INSERT INTO rows VALUES ('a', 1, 'made', 'ok', 'k', 'file', 1, 'local', 'm', '', '["path:/a"]', 'd', '{}', 's', '',
    NULL, '{}', '[]', 0, 0, 1);
INSERT INTO generations VALUES (1, '', 'sha256:0', '{}', 5, 6);
PRAGMA user_version = 1;
