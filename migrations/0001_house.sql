-- renkei's own tables. TEXT and BIGINT only, so that one code serves SQLite and PostgreSQL: 0/1 for flags, epoch
-- milliseconds for times (made by the program), JSON as TEXT. What must never be is refused here.

-- Settings: every apply is a numbered version; runs refer to the one they used.
CREATE TABLE settings_versions (
    number BIGINT PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    note   TEXT   NOT NULL
);

-- Integrations, menus and timers as they stand now; `definition` is the form as JSON.
CREATE TABLE integrations (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL
);
CREATE TABLE menus (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL
);
CREATE TABLE timers (
    id          TEXT PRIMARY KEY,
    name        TEXT   NOT NULL UNIQUE,
    definition  TEXT   NOT NULL,
    set_by      TEXT   NOT NULL,
    switched_at BIGINT NOT NULL,
    cursor_at   BIGINT NOT NULL,   -- slots up to here are accounted for
    next_at     BIGINT             -- the next slot; NULL when off or exhausted
);
CREATE INDEX timers_next ON timers (next_at);

-- What each version changed, so that the settings of a past run can be told.
CREATE TABLE definitions (
    version    BIGINT NOT NULL REFERENCES settings_versions (number),
    kind       TEXT   NOT NULL CHECK (kind IN ('integration', 'menu', 'timer')),
    id         TEXT   NOT NULL,
    definition TEXT,               -- NULL: removed by this version
    PRIMARY KEY (kind, id, version)
);

CREATE TABLE audit (
    number BIGINT PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    action TEXT   NOT NULL,
    entity TEXT   NOT NULL,
    old    TEXT,
    new    TEXT
);

CREATE TABLE users (
    name        TEXT PRIMARY KEY,
    address     TEXT,
    permissions TEXT NOT NULL      -- JSON array
);

-- One attempt to carry a menu through an integration.
CREATE TABLE runs (
    seq              BIGINT PRIMARY KEY,
    id               TEXT   NOT NULL UNIQUE,
    menu_id          TEXT   NOT NULL,
    menu             TEXT   NOT NULL,
    integration_id   TEXT   NOT NULL,
    integration      TEXT   NOT NULL,
    timer_id         TEXT,
    timer            TEXT,
    account          TEXT   NOT NULL,
    settings_version BIGINT NOT NULL,
    trigger_kind     TEXT   NOT NULL CHECK (trigger_kind IN ('timer', 'hand', 'retry')),
    actor            TEXT   NOT NULL,
    memo             TEXT,
    priority         BIGINT NOT NULL CHECK (priority BETWEEN 0 AND 999),
    scheduled_at     BIGINT,
    queued_at        BIGINT NOT NULL,
    started_at       BIGINT,
    finished_at      BIGINT,
    resume_at        BIGINT,
    trouble_since    BIGINT,       -- the first try that has to be repeated; retry_for counts from here
    tries            BIGINT NOT NULL DEFAULT 0 CHECK (tries >= 0),
    state            TEXT   NOT NULL CHECK (state IN ('queued', 'running', 'waiting', 'held', 'confirming', 'accepted',
                                                      'imported', 'partial', 'failed', 'unknown', 'cancelled', 'skipped')),
    lane             TEXT,
    exported_at      BIGINT,       -- the export is complete and its batches stand below
    records          BIGINT NOT NULL DEFAULT 0 CHECK (records >= 0),
    bytes            BIGINT NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    skipped_rows     BIGINT NOT NULL DEFAULT 0 CHECK (skipped_rows >= 0),
    source           TEXT,         -- what was read, for people
    warning          TEXT,         -- JSON Failure about rows that were left out
    failure          TEXT,         -- JSON Failure: why it stands or ended so
    retry_of         TEXT REFERENCES runs (id),
    wanted_keys      TEXT,         -- JSON array: only these records
    forced           BIGINT NOT NULL DEFAULT 0 CHECK (forced IN (0, 1)),
    only_failed      BIGINT NOT NULL DEFAULT 0 CHECK (only_failed IN (0, 1)),   -- a retry of what was not taken
    approved_by      TEXT,
    cancel_by        TEXT,         -- who asked for a cancel
    sent_at          BIGINT,       -- the first intent: from here on bytes may be with the receiver
    files_removed_at BIGINT,
    start_by         BIGINT,       -- not started by then, it is skipped (laid out, not written yet)
    CHECK ((trigger_kind = 'timer') = (timer_id IS NOT NULL AND scheduled_at IS NOT NULL) OR trigger_kind = 'retry'),
    CHECK ((state = 'running') = (lane IS NOT NULL)),
    CHECK (state <> 'running' OR started_at IS NOT NULL),
    CHECK ((state = 'waiting') = (resume_at IS NOT NULL)),
    CHECK ((state IN ('accepted', 'imported', 'partial', 'failed', 'unknown', 'cancelled', 'skipped'))
           = (finished_at IS NOT NULL)),
    CHECK (state NOT IN ('failed', 'held', 'waiting', 'unknown', 'partial') OR failure IS NOT NULL)
);
CREATE UNIQUE INDEX runs_one_per_lane ON runs (lane) WHERE state = 'running';
CREATE UNIQUE INDEX runs_one_per_slot ON runs (timer_id, scheduled_at) WHERE trigger_kind = 'timer';
CREATE INDEX runs_open ON runs (state, resume_at) WHERE finished_at IS NULL;
CREATE INDEX runs_open_of_menu ON runs (menu_id, integration_id, state) WHERE finished_at IS NULL;
CREATE INDEX runs_of_menu ON runs (menu_id, seq);
CREATE INDEX runs_of_menu_name ON runs (menu, seq);
CREATE INDEX runs_in_state ON runs (state, seq);
CREATE INDEX runs_repeated ON runs (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX runs_with_files ON runs (finished_at) WHERE files_removed_at IS NULL AND finished_at IS NOT NULL;

-- End states never change, whoever writes.
CREATE TRIGGER runs_end_is_the_end BEFORE UPDATE OF state ON runs
WHEN OLD.state IN ('accepted', 'imported', 'partial', 'failed', 'unknown', 'cancelled', 'skipped') AND NEW.state <> OLD.state
BEGIN
    SELECT RAISE(ABORT, 'an end state never changes');
END;

-- One time slot of a timer: 起動予定・結果. Never deleted while its timer lives.
CREATE TABLE occurrences (
    timer_id     TEXT   NOT NULL,
    scheduled_at BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('planned', 'skipped', 'superseded')),
    reason       TEXT,
    slots        BIGINT NOT NULL DEFAULT 1 CHECK (slots >= 1),   -- how many slots this row stands for …
    first_at     BIGINT NOT NULL,                                -- … from here to scheduled_at
    run_seq      BIGINT UNIQUE REFERENCES runs (seq),
    noted_at     BIGINT NOT NULL,
    PRIMARY KEY (timer_id, scheduled_at),
    CHECK ((state = 'planned') = (run_seq IS NOT NULL)),
    CHECK ((state = 'skipped') = (reason IS NOT NULL)),
    CHECK (first_at <= scheduled_at)
);

-- 連携データ(CSV) 1/3.
CREATE TABLE batches (
    run_seq BIGINT NOT NULL REFERENCES runs (seq),
    number  BIGINT NOT NULL CHECK (number >= 1),
    file    TEXT   NOT NULL,
    records BIGINT NOT NULL CHECK (records >= 0),
    bytes   BIGINT NOT NULL CHECK (bytes >= 0),
    sha256  TEXT   NOT NULL CHECK (length(sha256) = 64),
    state   TEXT   NOT NULL CHECK (state IN ('ready', 'sending', 'accepted', 'rejected', 'not-taken', 'unknown')),
    PRIMARY KEY (run_seq, number)
);

-- One request for a batch: the intent, and what came of it.
CREATE TABLE attempts (
    run_seq      BIGINT NOT NULL,
    batch        BIGINT NOT NULL,
    number       BIGINT NOT NULL CHECK (number >= 1),
    intended_at  BIGINT NOT NULL,
    concluded_at BIGINT,
    verdict      TEXT,
    http_status  BIGINT,
    answer       TEXT,             -- bounded, secrets masked
    note         TEXT,
    PRIMARY KEY (run_seq, batch, number),
    FOREIGN KEY (run_seq, batch) REFERENCES batches (run_seq, number),
    CHECK ((concluded_at IS NULL) = (verdict IS NULL))
);

CREATE TABLE events (
    run_seq BIGINT NOT NULL REFERENCES runs (seq),
    number  BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    kind    TEXT   NOT NULL,
    text    TEXT   NOT NULL,
    PRIMARY KEY (run_seq, number)
);

-- How many records a menu + integration had at its last complete export, for the order.
CREATE TABLE carried (
    menu_id        TEXT NOT NULL,
    integration_id TEXT NOT NULL,
    records        BIGINT,
    PRIMARY KEY (menu_id, integration_id)
);

-- The request slots of an account.
CREATE TABLE request_slots (
    account     TEXT   NOT NULL,
    number      BIGINT NOT NULL CHECK (number >= 0),
    taken_by    TEXT,
    released_boot   TEXT,
    released_millis BIGINT,
    PRIMARY KEY (account, number),
    CHECK ((released_boot IS NULL) = (released_millis IS NULL))
);

-- Mails wait here until a server has taken them.
CREATE TABLE outbox (
    number     BIGINT PRIMARY KEY,
    run_seq    BIGINT REFERENCES runs (seq),
    message_id TEXT   NOT NULL UNIQUE,
    recipients TEXT   NOT NULL,    -- JSON array
    subject    TEXT   NOT NULL,
    body_text  TEXT   NOT NULL,
    body_html  TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    next_at    BIGINT,             -- NULL once sent or given up
    tries      BIGINT NOT NULL DEFAULT 0,
    sent_at    BIGINT,
    last_error TEXT,
    CHECK (sent_at IS NULL OR next_at IS NULL)
);
CREATE INDEX outbox_due ON outbox (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_of_run ON outbox (run_seq);

-- Records that renkei keeps itself: a new import is a new generation, switched to at once. Some hundred records are
-- packed into one row, which is what makes a million of them quick to read.
CREATE TABLE record_generations (
    number      BIGINT PRIMARY KEY,
    menu_id     TEXT   NOT NULL,
    header      TEXT   NOT NULL,   -- JSON array
    records     BIGINT NOT NULL DEFAULT 0,
    begun_at    BIGINT NOT NULL,
    imported_at BIGINT,            -- NULL until the import is complete
    replaced_at BIGINT,            -- since when a newer generation is read instead
    CHECK (replaced_at IS NULL OR imported_at IS NOT NULL)
);
CREATE TABLE record_current (
    menu_id    TEXT PRIMARY KEY,
    generation BIGINT NOT NULL REFERENCES record_generations (number)
);
CREATE TABLE record_blocks (
    generation BIGINT NOT NULL REFERENCES record_generations (number),
    number     BIGINT NOT NULL,
    records    BIGINT NOT NULL,
    packed     TEXT   NOT NULL,
    PRIMARY KEY (generation, number)
);

-- Laid out for chains, planned stops, business days and confirmations; nothing writes them yet.

-- The runs that a run waits for, one row a leading timer.
CREATE TABLE run_leaders (
    run_seq    BIGINT NOT NULL REFERENCES runs (seq),
    timer_id   TEXT   NOT NULL,
    leader_seq BIGINT REFERENCES runs (seq),   -- NULL: the leader had no slot to wait for, and the note says why
    note       TEXT,
    PRIMARY KEY (run_seq, timer_id),
    CHECK (leader_seq IS NULL OR leader_seq <> run_seq)
);

-- 連携停止期間.
CREATE TABLE stops (
    number     BIGINT PRIMARY KEY,
    scope      TEXT   NOT NULL CHECK (scope IN ('all', 'account', 'timer')),
    target     TEXT,                           -- the account or the timer's id
    from_at    BIGINT NOT NULL,
    until_at   BIGINT NOT NULL,
    slots_wait BIGINT NOT NULL CHECK (slots_wait IN (0, 1)),
    reason     TEXT   NOT NULL,
    set_by     TEXT   NOT NULL,
    noted_at   BIGINT NOT NULL,
    CHECK ((scope = 'all') = (target IS NULL)),
    CHECK (from_at < until_at)
);

CREATE TABLE calendar_days (
    day  TEXT PRIMARY KEY CHECK (length(day) = 10),   -- 2026-11-23
    kind TEXT NOT NULL CHECK (kind IN ('holiday', 'closed', 'working')),
    name TEXT NOT NULL
);

-- What is asked of the status API after a batch was accepted.
CREATE TABLE confirmations (
    run_seq      BIGINT NOT NULL,
    batch        BIGINT NOT NULL,
    reference    TEXT   NOT NULL,              -- what the answer to the push named
    next_at      BIGINT,                       -- NULL once it is concluded
    until_at     BIGINT NOT NULL,
    concluded_at BIGINT,
    answer       TEXT,                         -- bounded, secrets masked
    PRIMARY KEY (run_seq, batch),
    FOREIGN KEY (run_seq, batch) REFERENCES batches (run_seq, number),
    CHECK ((next_at IS NULL) = (concluded_at IS NOT NULL))
);
