-- The company's days (`calendar:` of the settings) are a definition like the others: versioned, and told of a past
-- version. The list of kinds is a CHECK, so the table is made anew. The imported holidays lie in calendar_days, whose
-- kinds `closed` and `working` stay unused: days that come every year have no date.
CREATE TABLE definitions_2 (
    version    BIGINT NOT NULL REFERENCES settings_versions (number),
    kind       TEXT   NOT NULL CHECK (kind IN ('integration', 'menu', 'timer', 'calendar')),
    id         TEXT   NOT NULL,
    definition TEXT,               -- NULL: removed by this version
    PRIMARY KEY (kind, id, version)
);
INSERT INTO definitions_2 (version, kind, id, definition) SELECT version, kind, id, definition FROM definitions;
DROP TABLE definitions;
ALTER TABLE definitions_2 RENAME TO definitions;
