-- What the ledger is held against, and the morning page.

-- From which slot on a timer's definition holds: its cursor when it was saved. NULL in rows of earlier versions, and
-- for what is no timer: then it is the time of the settings' version.
ALTER TABLE definitions ADD COLUMN from_at BIGINT;

-- Slots up to here were reckoned under another default zone or other rules of schedules than those of now.
ALTER TABLE timers ADD COLUMN rules_from BIGINT;

-- 朝のまとめ: told once a day, whatever happens to the daemon in between.
CREATE TABLE mornings (
    day      TEXT   PRIMARY KEY CHECK (length(day) = 10),   -- the local date, 2026-11-24
    from_at  BIGINT NOT NULL,
    to_at    BIGINT NOT NULL,
    noted_at BIGINT NOT NULL,
    CHECK (from_at <= to_at)
);
