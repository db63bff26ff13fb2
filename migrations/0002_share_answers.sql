-- Answers that the other attendees are still to hear of: who has answered the user, who organizes the object. All rows of one
-- object are due at the same time, that of the first, and go when the others have been told.
CREATE TABLE unshared_answer (
    user     TEXT    NOT NULL,
    cal_uid  TEXT    NOT NULL,
    attendee TEXT    NOT NULL,
    due_at   INTEGER NOT NULL,
    PRIMARY KEY (user, cal_uid, attendee)
);
CREATE INDEX unshared_answer_due ON unshared_answer (due_at);
