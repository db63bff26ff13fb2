-- What the tokens in links stand for; a token itself is kept nowhere. purpose is 'answer' or 'feed'. For an answer: whose
-- meeting, who may answer, for which instance ('' is all of them), at which SEQUENCE it was asked. revoked_at is 0 as long as the
-- link holds.
CREATE TABLE link (
    digest     TEXT    PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    user       TEXT    NOT NULL,
    cal_uid    TEXT    NOT NULL,
    attendee   TEXT    NOT NULL,
    instance   TEXT    NOT NULL,
    sequence   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL
);
CREATE INDEX link_by_object ON link (user, cal_uid, purpose);
CREATE INDEX link_by_end ON link (expires_at);
