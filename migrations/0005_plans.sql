-- Pauses of integrations, and what the dispatcher asks of slots, leaders and runs that are waited for.

-- An integration is paused by a person, or by the receiver's refusal of its token or route.
CREATE TABLE pauses (
    integration_id TEXT   PRIMARY KEY,
    since          BIGINT NOT NULL,
    actor          TEXT,             -- the person; NULL where a refusal paused it
    code           TEXT,             -- the refusal's code
    run            TEXT,             -- the run that was refused
    reason         TEXT   NOT NULL,  -- for people
    salt           TEXT,             -- with it, the fingerprint of the headers that were refused: when what they
    fingerprint    TEXT,             -- resolve to changes, the pause is over
    CHECK ((actor IS NULL) = (code IS NOT NULL)),
    CHECK ((salt IS NULL) = (fingerprint IS NULL))
);

-- All runs of a slot: the timer's, and what people repeated of it.
CREATE INDEX runs_of_slot ON runs (timer_id, scheduled_at) WHERE timer_id IS NOT NULL;
CREATE INDEX run_leaders_of ON run_leaders (leader_seq);
CREATE INDEX stops_until ON stops (until_at);
