-- Keys of this installation, made when they are first needed: 32 random octets under a name.
CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

-- Who did not get a mail, and whether its user has been told. One row for each object and address, so that an address that
-- does not exist is told once and not with every update. due_at is when the notice is written: others of the same mail may fail
-- meanwhile. told is 0 or 1.
CREATE TABLE undelivered (
    user      TEXT    NOT NULL,
    cal_uid   TEXT    NOT NULL,
    address   TEXT    NOT NULL,
    outbox_id INTEGER NOT NULL,
    method    TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    failed_at INTEGER NOT NULL,
    due_at    INTEGER NOT NULL,
    told      INTEGER NOT NULL,
    PRIMARY KEY (user, cal_uid, address)
);
CREATE INDEX undelivered_untold ON undelivered (told, due_at);

-- What was said last to whom about each instance, by the gateway or by the user's own client, so that neither repeats the other.
-- source is 'gateway' or 'client'; said is what the message says, in one line; dtstamp is in Unix seconds.
CREATE TABLE said (
    user      TEXT    NOT NULL,
    cal_uid   TEXT    NOT NULL,
    instance  TEXT    NOT NULL,
    recipient TEXT    NOT NULL,
    method    TEXT    NOT NULL,
    sequence  INTEGER NOT NULL,
    said      TEXT    NOT NULL,
    dtstamp   INTEGER NOT NULL,
    source    TEXT    NOT NULL,
    outbox_id INTEGER,
    PRIMARY KEY (user, cal_uid, instance, recipient)
);

-- The copies of sent mails that are owed to the users' Sent folders: 'owed', 'saved' or 'refused'.
CREATE TABLE sent_copy (
    outbox_id       INTEGER PRIMARY KEY REFERENCES outbox (id) ON DELETE CASCADE,
    state           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    detail          TEXT    NOT NULL
);
CREATE INDEX sent_copy_owed ON sent_copy (state, next_attempt_at);
