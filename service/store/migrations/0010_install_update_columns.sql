-- The wish for a restart is noted with the step, in its transaction.
ALTER TABLE install_update DROP COLUMN restart_mandatory;
