-- Mails that are still to be moved out of the folders into which users put what they answer. target is 'inbox' or 'archive'.
CREATE TABLE owed_move (
    user            TEXT    NOT NULL,
    folder          TEXT    NOT NULL,
    uid_validity    INTEGER NOT NULL,
    uid             INTEGER NOT NULL,
    message_id      TEXT    NOT NULL,
    target          TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    PRIMARY KEY (user, folder, uid_validity, uid)
);
CREATE INDEX owed_move_due ON owed_move (next_attempt_at);

-- When the keywords of a folder were looked at last: the numbers of its mails, and the one that the next mail was to get.
CREATE TABLE tag_look (
    user         TEXT    NOT NULL,
    folder       TEXT    NOT NULL,
    uid_validity INTEGER NOT NULL,
    next_uid     INTEGER NOT NULL,
    PRIMARY KEY (user, folder)
);

-- The mails that had a keyword then which is an answer: 'accept', 'decline' or 'tentative'. What stands here has been answered, or was
-- tagged before anybody looked.
CREATE TABLE tag (
    user   TEXT    NOT NULL,
    folder TEXT    NOT NULL,
    uid    INTEGER NOT NULL,
    choice TEXT    NOT NULL,
    PRIMARY KEY (user, folder, uid, choice)
);

-- What users were asked by a notice, by its Message-ID. kind is 'invitation', 'unproven', 'counter' or 'crasher'; instance is as that of a
-- decision; sequence is that of the invitation; sender and about are whose message it is, and the Message-ID of the mail that it came in.
CREATE TABLE question (
    message_id TEXT    PRIMARY KEY,
    user       TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    cal_uid    TEXT    NOT NULL,
    instance   TEXT    NOT NULL,
    sequence   INTEGER NOT NULL,
    sender     TEXT    NOT NULL,
    about      TEXT    NOT NULL,
    at         INTEGER NOT NULL
);
CREATE INDEX question_by_time ON question (at);
