-- Which instance a message was about, as RECURRENCE-ID is written: empty for the whole, '*' for several instances at once. Whoever
-- answers such a mail in words answers for that instance.
ALTER TABLE decision ADD COLUMN instance TEXT NOT NULL DEFAULT '';
