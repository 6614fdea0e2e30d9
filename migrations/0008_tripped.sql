-- The checks that tripped at a run's export, written with it: whatever dies before the run is held or failed by them,
-- its files are not sent before somebody approves them.
ALTER TABLE runs ADD COLUMN tripped TEXT;   -- JSON array of Failures; NULL when none did, or a person approved
UPDATE runs SET tripped = '[' || failure || ']' WHERE state = 'held';
