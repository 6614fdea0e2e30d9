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

-- The age of a run's bytes: the number of its export among those of its menu and integration. A repeat on stored files
-- has the number of the run that exported them, so that older bytes are known as such whatever the wall clock does.
ALTER TABLE runs ADD COLUMN export_number BIGINT;
UPDATE runs SET export_number = seq WHERE exported_at IS NOT NULL;
CREATE INDEX runs_of_export ON runs (menu_id, integration_id, export_number) WHERE export_number IS NOT NULL;
