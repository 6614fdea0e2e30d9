-- What webhooks and dead-man's switches are to be told of a run: written in the transaction that ends it, and kept until
-- it was taken or given up. No address and no token is in here: both are looked up when a notice is carried.
CREATE TABLE notices (
    number     BIGINT PRIMARY KEY,
    notice_id  TEXT   NOT NULL UNIQUE,   -- R-20261124-0007/held/webhook/NAME: nobody is told the same twice
    run_seq    BIGINT NOT NULL REFERENCES runs (seq),
    channel    TEXT   NOT NULL CHECK (channel IN ('webhook', 'ping')),
    target     TEXT   NOT NULL,          -- the webhook's name, or the id of the timer that is pinged for
    event      TEXT   NOT NULL CHECK (event IN ('start', 'good', 'trouble')),
    content    TEXT   NOT NULL,          -- JSON: title, text, run; no record value
    created_at BIGINT NOT NULL,
    next_at    BIGINT,                   -- NULL once taken or given up
    tries      BIGINT NOT NULL DEFAULT 0 CHECK (tries >= 0),
    sent_at    BIGINT,
    last_error TEXT,                     -- secrets masked
    CHECK (sent_at IS NULL OR next_at IS NULL)
);
CREATE INDEX notices_open ON notices (channel, target, number) WHERE next_at IS NOT NULL;
CREATE INDEX notices_concluded ON notices (created_at) WHERE next_at IS NULL;
CREATE INDEX notices_of_run ON notices (run_seq);
