-- Mails that could not be processed and are not tried again by themselves. id is that of the decision that tells of the mail, so
-- it is never given twice. uid is 0 where the mail's number in the folder is not known.
CREATE TABLE dead_letter (
    id           INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    user         TEXT    NOT NULL,
    folder       TEXT    NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid          INTEGER NOT NULL,
    message_id   TEXT    NOT NULL,
    sender       TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    text         TEXT    NOT NULL,
    attempts     INTEGER NOT NULL
);
CREATE INDEX dead_letter_by_place ON dead_letter (user, folder, uid_validity, uid);
CREATE INDEX dead_letter_by_message ON dead_letter (message_id);
CREATE INDEX dead_letter_by_time ON dead_letter (at);

-- What was given up on so far was only told in the log.
INSERT INTO dead_letter (id, at, user, folder, uid_validity, uid, message_id, sender, reason, text, attempts)
SELECT id, at, user, folder, 0, 0, message_id, sender, reason, text, 1 FROM decision WHERE verdict = 'dead-letter';

-- The mail at which the reading of a folder has failed, how often, and after how many attempts it is given up on, by its last
-- error. There is one at most, because mails are read in their order; it is overwritten by the next.
CREATE TABLE failing_mail (
    user         TEXT    NOT NULL,
    folder       TEXT    NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid          INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    attempts_max INTEGER NOT NULL,
    reason       TEXT    NOT NULL,
    error        TEXT    NOT NULL,
    PRIMARY KEY (user, folder)
);

-- Keywords that are still to be set in the mailbox. kind is 'handled', 'dead', or 'raised' for a dead letter that was processed after all.
CREATE TABLE owed_mark (
    user            TEXT    NOT NULL,
    folder          TEXT    NOT NULL,
    uid_validity    INTEGER NOT NULL,
    uid             INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    PRIMARY KEY (user, folder, uid_validity, uid)
);
CREATE INDEX owed_mark_due ON owed_mark (next_attempt_at);
