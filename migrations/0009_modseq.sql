-- The number of changes that the server told of a folder (HIGHESTMODSEQ, RFC 7162 §3.1.2.1), 0 where it keeps none. It never goes down,
-- unless the folder was restored from a backup.
ALTER TABLE cursor ADD COLUMN highest_modseq INTEGER NOT NULL DEFAULT 0;
