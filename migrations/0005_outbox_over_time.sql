-- The outbox over time: what is still open is found without looking at what is done, a rate limit keeps mail back, and what
-- is old goes.

-- 1 while one of its recipients waits.
ALTER TABLE outbox ADD COLUMN is_open INTEGER NOT NULL DEFAULT 1;
-- 1 while a rate limit keeps the rest of it back.
ALTER TABLE outbox ADD COLUMN is_held INTEGER NOT NULL DEFAULT 0;
-- Since when it is tried, when an operator had it tried again; Unix milliseconds, 0 otherwise.
ALTER TABLE outbox ADD COLUMN retried_at INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET is_open = 0
 WHERE id NOT IN (SELECT outbox_id FROM outbox_recipient WHERE state = 'waiting');
CREATE INDEX outbox_open ON outbox (is_open, id);
CREATE INDEX outbox_by_age ON outbox (created_at);
DROP INDEX outbox_by_object;
CREATE INDEX outbox_by_object ON outbox (user, cal_uid, is_open, id);
CREATE INDEX decision_by_age ON decision (at);

-- The state may also be 'dropped': an operator has decided that the mail does not go. When a recipient was settled last,
-- Unix milliseconds; 0 while they wait, and for those of before this column.
ALTER TABLE outbox_recipient ADD COLUMN settled_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_recipient_by_time ON outbox_recipient (settled_at);

-- Since when the rate limits of a user count anew, because an operator said so.
CREATE TABLE outbox_release (
    user        TEXT    NOT NULL PRIMARY KEY,
    released_at INTEGER NOT NULL,
    released_by TEXT    NOT NULL
);
