-- People whom a user has written to, by their addresses in lower case; written_at is the last time. Their invitations are not those
-- of strangers.
CREATE TABLE acquaintance (
    user       TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    written_at INTEGER NOT NULL,
    PRIMARY KEY (user, address)
);
CREATE INDEX acquaintance_by_age ON acquaintance (user, written_at);

-- What proved the sender of a mail, and what was odd about them; empty for what users did themselves.
ALTER TABLE decision ADD COLUMN proof TEXT NOT NULL DEFAULT '';

-- How many mails of one sender a user got lately.
CREATE INDEX decision_by_sender ON decision (user, sender, at);
