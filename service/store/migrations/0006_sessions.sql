-- Sessions and jobs that outlive the daemon. The blobs are serialized
-- messages that the session layer owns.
CREATE TABLE session(
  session_id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  client_application_id TEXT NOT NULL,
  user_locale TEXT NOT NULL,
  read_only INTEGER NOT NULL,
  web_proxy BLOB NOT NULL,               -- without password
  create_time INTEGER NOT NULL           -- microseconds
) STRICT, WITHOUT ROWID;

CREATE TABLE job(
  job_id TEXT PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
  kind INTEGER NOT NULL,
  state INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  parent TEXT NOT NULL,
  client_application_id TEXT NOT NULL,
  updates BLOB NOT NULL,
  parameters BLOB NOT NULL,
  results BLOB NOT NULL,
  result_code INTEGER NOT NULL,
  hresult INTEGER NOT NULL,
  message TEXT NOT NULL,
  abort_requested INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  create_time INTEGER NOT NULL,          -- microseconds
  complete_time INTEGER                  -- NULL until completed
) STRICT;
CREATE INDEX job_by_session ON job(session_id);
