-- The gateway's state and the calendars of the database backend. Plain SQL: instants are integers (Unix milliseconds
-- where a column ends in _at), booleans are 0 or 1, a user is their main address in lower case.

-- How far a folder has been read: every mail below next_uid is done (RFC 3501 §2.3.1.1). Mail that arrived before since_at
-- was there before imipd, and stays unread also when the folder gets new numbers.
CREATE TABLE cursor (
    user         TEXT    NOT NULL,
    folder       TEXT    NOT NULL,
    uid_validity INTEGER NOT NULL,
    next_uid     INTEGER NOT NULL,
    since_at     INTEGER NOT NULL,
    PRIMARY KEY (user, folder)
);

-- The calendars: one object per user and UID, as iCalendar text.
CREATE TABLE object (
    user       TEXT    NOT NULL,
    cal_uid    TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (user, cal_uid)
);

-- Whose messages about a UID have been taken; outlives the object.
CREATE TABLE standing (
    user      TEXT NOT NULL,
    cal_uid   TEXT NOT NULL,
    organizer TEXT NOT NULL,
    PRIMARY KEY (user, cal_uid)
);

-- The order of messages (RFC 5546 §2.1.5). kind is 'taken', 'cancelled', 'reply', 'rescheduled' or 'refreshed';
-- attendee is empty but for 'reply' and 'refreshed'. dtstamp is in Unix seconds.
CREATE TABLE revision (
    user     TEXT    NOT NULL,
    cal_uid  TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    instance TEXT    NOT NULL,
    attendee TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    dtstamp  INTEGER NOT NULL,
    PRIMARY KEY (user, cal_uid, kind, instance, attendee)
);

-- What was decided and why. fingerprint tells two mails with one Message-ID apart.
CREATE TABLE decision (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    user        TEXT    NOT NULL,
    folder      TEXT    NOT NULL,
    message_id  TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    sender      TEXT    NOT NULL,
    method      TEXT    NOT NULL,
    cal_uid     TEXT    NOT NULL,
    verdict     TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    text        TEXT    NOT NULL
);
CREATE INDEX decision_by_message ON decision (user, message_id);
CREATE INDEX decision_by_object ON decision (user, cal_uid);

-- What waits for a user: invitations that policy does not add, counter-proposals, answers of the uninvited.
CREATE TABLE proposal (
    id         INTEGER PRIMARY KEY,
    user       TEXT    NOT NULL,
    cal_uid    TEXT    NOT NULL,
    method     TEXT    NOT NULL,
    sender     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    message_id TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    UNIQUE (user, cal_uid, method, sender)
);

-- Mails that are owed. A mail's Message-ID is made from what it says, so the same debt cannot be entered twice. dtstamp is
-- that of the message, in Unix seconds: the next one about the same object gets a later one.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY,
    user            TEXT    NOT NULL,
    cal_uid         TEXT    NOT NULL,
    message_id      TEXT    NOT NULL UNIQUE,
    sender          TEXT    NOT NULL,
    method          TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    raw             BLOB    NOT NULL,
    dtstamp         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    last_error      TEXT    NOT NULL
);
CREATE INDEX outbox_by_object ON outbox (user, cal_uid);

-- What became of a mail for each recipient: 'waiting', 'sent' or 'failed'.
CREATE TABLE outbox_recipient (
    outbox_id INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    address   TEXT    NOT NULL,
    state     TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    PRIMARY KEY (outbox_id, address)
);
CREATE INDEX outbox_waiting ON outbox_recipient (state, outbox_id, address);
