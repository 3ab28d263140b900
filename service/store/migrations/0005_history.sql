-- Installations and uninstallations, one row for each attempt, never changed.
CREATE TABLE history(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  date INTEGER NOT NULL,                 -- microseconds
  update_id TEXT NOT NULL,
  entry BLOB NOT NULL                    -- usher.v1.UpdateHistoryEntry
) STRICT;
CREATE INDEX history_by_date ON history(date, id);
CREATE INDEX history_by_update ON history(update_id, date, id);
