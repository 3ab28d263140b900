-- What a job works on stands in its parameters; nothing ever wrote this.
ALTER TABLE job DROP COLUMN updates;
