-- What a menu and integration suffers from since when, and what people were told of it: the first failure is told at
-- once, the same one again at most hourly, and its end.
CREATE TABLE troubles (
    menu_id        TEXT   NOT NULL,
    integration_id TEXT   NOT NULL,
    since          BIGINT NOT NULL,
    code           TEXT   NOT NULL,                       -- the failure that was told last
    told_at        BIGINT NOT NULL,
    untold         BIGINT NOT NULL CHECK (untold >= 0),   -- failures since then
    PRIMARY KEY (menu_id, integration_id)
);
