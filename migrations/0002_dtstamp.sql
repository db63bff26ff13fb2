-- The DTSTAMP of what a mail says, in Unix seconds: the next message about the same object gets a later one.
ALTER TABLE outbox ADD COLUMN dtstamp INTEGER NOT NULL DEFAULT 0;
