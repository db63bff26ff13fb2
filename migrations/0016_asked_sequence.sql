-- The SEQUENCE of the message that was decided about; NULL where it is not known. Whoever answers an older mail in words has not answered
-- what the organizer asks now.
ALTER TABLE decision ADD COLUMN sequence INTEGER;
