-- Registered update services. They are few and always read whole.
CREATE TABLE service(
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of registration
  service_id TEXT NOT NULL UNIQUE,
  record BLOB NOT NULL                   -- usher.v1.UpdateService
) STRICT;
