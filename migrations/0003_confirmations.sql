-- What is asked of the receiver after a batch was taken, and what it said. The table was laid out by 0001 and nothing
-- has written it yet: it is made anew with the rules that hold on it.
DROP TABLE confirmations;

CREATE TABLE confirmations (
    run_seq      BIGINT NOT NULL,
    batch        BIGINT NOT NULL,
    reference    TEXT,                 -- how the receiver calls the import, as JSON; NULL: its answer named none
    next_at      BIGINT,               -- when to ask; NULL once it is concluded
    until_at     BIGINT NOT NULL,      -- the last question
    asked        BIGINT NOT NULL DEFAULT 0 CHECK (asked >= 0),
    http_status  BIGINT,               -- of the last answer
    answer       TEXT,                 -- of the last answer: bounded, secrets masked
    note         TEXT,                 -- what the last answer meant
    concluded_at BIGINT,
    outcome      TEXT CHECK (outcome IN ('imported', 'partial', 'failed', 'unknown')),
    imported     BIGINT CHECK (imported >= 0),   -- records
    refused      TEXT,                 -- JSON array of the rows that were named, bounded
    code         TEXT,                 -- why nobody knows
    PRIMARY KEY (run_seq, batch),
    FOREIGN KEY (run_seq, batch) REFERENCES batches (run_seq, number),
    CHECK ((next_at IS NULL) = (concluded_at IS NOT NULL)),
    CHECK ((concluded_at IS NULL) = (outcome IS NULL)),
    CHECK ((outcome IS NULL) = (imported IS NULL)),
    CHECK (reference IS NOT NULL OR (outcome IS NOT NULL AND outcome = 'unknown')),
    CHECK ((code IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'unknown'))
);
CREATE INDEX confirmations_due ON confirmations (next_at) WHERE next_at IS NOT NULL;

-- A conclusion is an end, whoever writes.
CREATE TRIGGER confirmations_end_is_the_end BEFORE UPDATE ON confirmations
WHEN OLD.concluded_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a concluded confirmation never changes');
END;
