-- One hub in one file. Read it with the sqlite3 shell while Warren runs; only orchestrator-svc writes (payload: others
-- too).
-- Timestamps are microseconds since 1970: datetime(created_at / 1000000, 'unixepoch').

CREATE TABLE hub (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    name       TEXT    NOT NULL,
    partitions INTEGER NOT NULL,
    secret     BLOB    NOT NULL
) STRICT;

CREATE TABLE lease (
    partition INTEGER PRIMARY KEY,
    owner     TEXT,
    epoch     INTEGER NOT NULL DEFAULT 0,
    counter   INTEGER NOT NULL DEFAULT 0,
    number    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Who stands for a share of the partitions.
CREATE TABLE replica (
    name       TEXT    PRIMARY KEY,
    counter    INTEGER NOT NULL DEFAULT 0,
    renewed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE instance (
    partition      INTEGER NOT NULL,
    id             TEXT    NOT NULL,
    execution      TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    version        TEXT,
    status         TEXT    NOT NULL,
    condition      TEXT,
    turn           INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    custom_status  TEXT,
    parent         TEXT,
    answer_to      TEXT,
    start_id       TEXT    NOT NULL,
    tags           TEXT    NOT NULL,
    history_events INTEGER NOT NULL,
    history_bytes  INTEGER NOT NULL,
    PRIMARY KEY (partition, id)
) STRICT, WITHOUT ROWID;

-- Lists, newest first, over all partitions: read backwards, so that what is new goes to its end.
CREATE INDEX instance_by_age ON instance (created_at, id);
-- Those that a new owner looks at.
CREATE INDEX instance_with_condition ON instance (partition, id) WHERE condition IS NOT NULL;

-- With a rowid, as `payload`: bodies are long, so they are appended and only their keys go to random pages.
-- The instance is not in the key, which is shorter without it: no two have the same execution.
-- Its last turn says how far an execution has come: most turns change nothing else of the instance's row, which is not
-- written for them.
CREATE TABLE history (
    partition      INTEGER NOT NULL,
    instance       TEXT    NOT NULL,
    execution      TEXT    NOT NULL,
    turn           INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    history_events INTEGER NOT NULL,
    history_bytes  INTEGER NOT NULL,
    body           TEXT    NOT NULL,
    PRIMARY KEY (partition, execution, turn)
) STRICT;

CREATE TABLE timer (
    partition INTEGER NOT NULL,
    instance  TEXT    NOT NULL,
    id        INTEGER NOT NULL,
    execution TEXT    NOT NULL,
    fire_at   INTEGER NOT NULL,
    PRIMARY KEY (partition, instance, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX timer_by_due ON timer (partition, fire_at);

CREATE TABLE pending (
    partition  INTEGER NOT NULL,
    instance   TEXT    NOT NULL,
    position   INTEGER NOT NULL,
    message    TEXT    NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (partition, instance, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX pending_by_expiry ON pending (partition, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE command (
    partition INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    answer    TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (partition, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX command_by_age ON command (partition, at);

CREATE TABLE outbox (
    partition INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    entries   TEXT    NOT NULL,
    PRIMARY KEY (partition, number)
) STRICT, WITHOUT ROWID;

-- Instances that may have taken their owner down.
CREATE TABLE suspect (
    partition INTEGER NOT NULL,
    instance  TEXT    NOT NULL,
    count     INTEGER NOT NULL,
    reason    TEXT    NOT NULL,
    PRIMARY KEY (partition, instance)
) STRICT, WITHOUT ROWID;

-- Tasks that may have taken a worker down; `mark` says how often and by whom they were begun.
CREATE TABLE task_note (
    partition   INTEGER NOT NULL,
    instance    TEXT    NOT NULL,
    id          INTEGER NOT NULL,
    quarantined INTEGER NOT NULL,
    mark        TEXT    NOT NULL,
    PRIMARY KEY (partition, instance, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_note_quarantined ON task_note (instance, id) WHERE quarantined;

CREATE TABLE sent (
    partition INTEGER NOT NULL,
    target    INTEGER NOT NULL,
    sequence  INTEGER NOT NULL,
    PRIMARY KEY (partition, target)
) STRICT, WITHOUT ROWID;

CREATE TABLE received (
    partition INTEGER NOT NULL,
    source    INTEGER NOT NULL,
    sequence  INTEGER NOT NULL,
    PRIMARY KEY (partition, source)
) STRICT, WITHOUT ROWID;

-- Large payloads on their way. The only table that client-api and workers may write.
CREATE TABLE payload (
    partition INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    instance  TEXT    NOT NULL,
    execution TEXT,
    at        INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (partition, id)
) STRICT;

CREATE INDEX payload_by_age ON payload (partition, at);
CREATE INDEX payload_by_execution ON payload (partition, instance, execution);

CREATE TABLE aside (
    partition INTEGER NOT NULL,
    source    INTEGER NOT NULL,
    sequence  INTEGER NOT NULL,
    message   TEXT    NOT NULL,
    PRIMARY KEY (partition, source, sequence)
) STRICT, WITHOUT ROWID;
