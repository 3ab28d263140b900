-- The installer's journal: what has been asked for, and how far each step is.
CREATE TABLE install_job(
  job_id TEXT PRIMARY KEY,
  operation INTEGER NOT NULL,            -- 1 install, 2 uninstall
  is_forced INTEGER NOT NULL,
  force_quiet INTEGER NOT NULL,
  client_application_id TEXT NOT NULL,
  server_selection INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  caller TEXT NOT NULL,
  create_time INTEGER NOT NULL           -- microseconds
) STRICT, WITHOUT ROWID;

-- The updates of a job, in order.
CREATE TABLE install_update(
  job_id TEXT NOT NULL REFERENCES install_job ON DELETE CASCADE,
  position INTEGER NOT NULL,             -- from 0
  service_id TEXT NOT NULL,
  update_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,   -- how often its steps were begun
  entry BLOB,                            -- usher.v1.UpdateHistoryEntry, begun
  restart_mandatory INTEGER NOT NULL DEFAULT 0,
  -- Its result; result_code 0 until there is one.
  result_code INTEGER NOT NULL DEFAULT 0,
  hresult INTEGER NOT NULL DEFAULT 0,
  reboot_required INTEGER NOT NULL DEFAULT 0,
  unmapped_result_code INTEGER NOT NULL DEFAULT 0,
  message TEXT NOT NULL DEFAULT '',
  PRIMARY KEY(job_id, position)
) STRICT, WITHOUT ROWID;

-- What handlers do for an update that was begun: one step, or one for each
-- child of a bundle. They go when the update has its result.
CREATE TABLE install_step(
  step_id INTEGER PRIMARY KEY AUTOINCREMENT,  -- names folders; never reused
  job_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  service_id TEXT NOT NULL,
  update_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  description BLOB NOT NULL,  -- usher.repository.v1.UpdateDescription
  state INTEGER NOT NULL,     -- 0 planned 1 begun 2 prepared 3 applied 4 done
  -- What the handler reported; from state 3.
  hresult INTEGER NOT NULL DEFAULT 0,
  reboot_required INTEGER NOT NULL DEFAULT 0,
  restart_mandatory INTEGER NOT NULL DEFAULT 0,
  unmapped_result_code INTEGER NOT NULL DEFAULT 0,
  message TEXT NOT NULL DEFAULT '',
  FOREIGN KEY(job_id, position) REFERENCES install_update ON DELETE CASCADE
) STRICT;
CREATE INDEX install_step_by_update ON install_step(job_id, position, step_id);

-- Updates that wait for a restart of the machine.
CREATE TABLE install_reboot(
  service_id TEXT NOT NULL,
  update_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  boot_id TEXT NOT NULL,                 -- when it was asked for
  mandatory INTEGER NOT NULL,            -- nothing may be installed before
  PRIMARY KEY(service_id, update_id, revision)
) STRICT, WITHOUT ROWID;
