-- One hub in one schema. Timestamps are in whole microseconds; text is compared byte by byte, whatever the database's
-- own collation. Every key begins with the partition, and nothing refers from one partition to another.

CREATE TABLE hub (
    id         integer PRIMARY KEY CHECK (id = 1),
    name       text    NOT NULL,
    partitions integer NOT NULL,
    secret     bytea   NOT NULL
);

-- Who owns each partition. Only who takes, renews or gives back a lease writes here.
CREATE TABLE lease (
    partition integer PRIMARY KEY,
    owner     text,
    epoch     bigint NOT NULL DEFAULT 0,
    counter   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Who stands for a share of the partitions. The time only clears away who is gone: no clock decides about ownership.
CREATE TABLE replica (
    name       text        PRIMARY KEY COLLATE "C",
    counter    bigint      NOT NULL DEFAULT 0,
    renewed_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- By which epoch each partition is written now (none while nobody holds it), and the number of its last commit; apart from
-- the lease, so that commits and renewals touch different rows. Every commit and every takeover changes this row, so each
-- waits for the other. The key lets whoever writes uncounted lock the epoch alone (FOR KEY SHARE), beside commits.
CREATE TABLE progress (
    partition integer PRIMARY KEY,
    epoch     bigint,
    number    bigint NOT NULL DEFAULT 0 CONSTRAINT commit_in_turn CHECK (number >= 0),
    UNIQUE (partition, epoch)
) WITH (fillfactor = 50);

CREATE TABLE instance (
    partition      integer     NOT NULL,
    id             text        NOT NULL COLLATE "C",
    execution      uuid        NOT NULL,
    name           text        NOT NULL COLLATE "C",
    version        text        COLLATE "C",
    status         text        NOT NULL COLLATE "C",
    condition      text        COLLATE "C",
    turn           bigint      NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    custom_status  text        COLLATE "C",
    parent         text        COLLATE "C",
    answer_to      text        COLLATE "C",
    start_id       text        NOT NULL COLLATE "C",
    tags           text        NOT NULL COLLATE "C",
    history_events bigint      NOT NULL,
    history_bytes  bigint      NOT NULL,
    PRIMARY KEY (partition, id)
) WITH (fillfactor = 50);

-- Lists, newest first, over all partitions: read backwards, so that what is new goes to its end.
CREATE INDEX instance_by_age ON instance (created_at, id);
-- Those that a new owner looks at.
CREATE INDEX instance_with_condition ON instance (partition, id) WHERE condition IS NOT NULL;

-- The instance is not in the key, as no two have the same execution: a text there makes each row dearer to place.
-- Its last turn says how far an execution has come: most turns change nothing else of the instance's row, which is not
-- written for them.
CREATE TABLE history (
    partition      integer     NOT NULL,
    instance       text        NOT NULL COLLATE "C",
    execution      uuid        NOT NULL,
    turn           bigint      NOT NULL,
    updated_at     timestamptz NOT NULL,
    history_events bigint      NOT NULL,
    history_bytes  bigint      NOT NULL,
    body           text        NOT NULL COLLATE "C",
    PRIMARY KEY (partition, execution, turn)
);

CREATE TABLE timer (
    partition integer     NOT NULL,
    instance  text        NOT NULL COLLATE "C",
    id        bigint      NOT NULL,
    execution uuid        NOT NULL,
    fire_at   timestamptz NOT NULL,
    PRIMARY KEY (partition, instance, id)
);

CREATE INDEX timer_by_due ON timer (partition, fire_at, instance, id);

CREATE TABLE pending (
    partition  integer NOT NULL,
    instance   text    NOT NULL COLLATE "C",
    position   bigint  NOT NULL,
    message    text    NOT NULL COLLATE "C",
    expires_at timestamptz,
    PRIMARY KEY (partition, instance, position)
);

CREATE INDEX pending_by_expiry ON pending (partition, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE command (
    partition integer     NOT NULL,
    id        text        NOT NULL COLLATE "C",
    answer    text        NOT NULL COLLATE "C",
    at        timestamptz NOT NULL,
    PRIMARY KEY (partition, id)
);

CREATE INDEX command_by_age ON command (partition, at);

CREATE TABLE outbox (
    partition integer NOT NULL,
    number    bigint  NOT NULL,
    entries   text    NOT NULL COLLATE "C",
    PRIMARY KEY (partition, number)
);

-- Instances that may have taken their owner down.
CREATE TABLE suspect (
    partition integer NOT NULL,
    instance  text    NOT NULL COLLATE "C",
    count     bigint  NOT NULL,
    reason    text    NOT NULL COLLATE "C",
    PRIMARY KEY (partition, instance)
);

-- Tasks that may have taken a worker down; `mark` says how often and by whom they were begun.
CREATE TABLE task_note (
    partition   integer NOT NULL,
    instance    text    NOT NULL COLLATE "C",
    id          bigint  NOT NULL,
    quarantined boolean NOT NULL,
    mark        text    NOT NULL COLLATE "C",
    PRIMARY KEY (partition, instance, id)
);

CREATE INDEX task_note_quarantined ON task_note (instance, id) WHERE quarantined;

CREATE TABLE sent (
    partition integer NOT NULL,
    target    integer NOT NULL,
    sequence  bigint  NOT NULL,
    PRIMARY KEY (partition, target)
) WITH (fillfactor = 50);

CREATE TABLE received (
    partition integer NOT NULL,
    source    integer NOT NULL,
    sequence  bigint  NOT NULL,
    PRIMARY KEY (partition, source)
) WITH (fillfactor = 50);

-- Large payloads on their way. The only table that client-api and workers write: grant them SELECT and INSERT.
CREATE TABLE payload (
    partition integer     NOT NULL,
    id        uuid        NOT NULL,
    instance  text        NOT NULL COLLATE "C",
    execution uuid,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    body      bytea       NOT NULL,
    PRIMARY KEY (partition, id)
);

-- Apart from the row and as it is: to compress it would take longer than to write it.
ALTER TABLE payload ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX payload_by_age ON payload (partition, at);
CREATE INDEX payload_by_execution ON payload (partition, instance, execution);

CREATE TABLE aside (
    partition integer NOT NULL,
    source    integer NOT NULL,
    sequence  bigint  NOT NULL,
    message   text    NOT NULL COLLATE "C",
    PRIMARY KEY (partition, source, sequence)
);

-- What is long is compressed by LZ4, which takes a fraction of PGLZ's time. PostgreSQL 13 has none (a syntax error), nor has
-- a server that was built without it.
DO $$
BEGIN
    EXECUTE 'ALTER TABLE outbox ALTER COLUMN entries SET COMPRESSION lz4';
    EXECUTE 'ALTER TABLE history ALTER COLUMN body SET COMPRESSION lz4';
EXCEPTION
    WHEN syntax_error OR feature_not_supported THEN NULL;
END
$$;
