-- The catalogs of all services, what the machine says about each update, and
-- what users decided.

CREATE TABLE catalog_service(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE catalog_file(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service INTEGER NOT NULL,
  target_name TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  base_url TEXT NOT NULL,                -- stands in the download URLs
  layout INTEGER NOT NULL,               -- how the loader made the rows
  UNIQUE(service, target_name)
) STRICT;

-- One revision of one update: what criteria and supersedence need, kept narrow
-- because a search may scan all of it. Ids are never reused, so that a running
-- result cannot meet another update under an old id. A row that the catalog
-- dropped is retired first and deleted at least an hour later.
CREATE TABLE catalog_update(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service INTEGER NOT NULL,
  file INTEGER NOT NULL,
  retired INTEGER NOT NULL,              -- 0, or microseconds
  current INTEGER NOT NULL,              -- newest revision of its update
  type INTEGER NOT NULL,                 -- usher.v1.UpdateType
  action INTEGER NOT NULL,               -- usher.v1.DeploymentAction
  priority INTEGER NOT NULL,             -- usher.v1.DownloadPriority
  is_assigned INTEGER NOT NULL,
  browse_only INTEGER NOT NULL,
  auto_select INTEGER NOT NULL,
  per_user INTEGER NOT NULL,
  is_bundle INTEGER NOT NULL,
  has_eula INTEGER NOT NULL,
  must_show INTEGER NOT NULL,            -- mandatory or with a deadline
  is_installable INTEGER NOT NULL,
  is_installed INTEGER NOT NULL,
  is_present INTEGER NOT NULL,
  reboot_required INTEGER NOT NULL,
  is_hidden INTEGER NOT NULL,
  eula_accepted INTEGER NOT NULL,        -- by a user
  revision INTEGER NOT NULL,
  update_id TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX catalog_update_key
  ON catalog_update(update_id, revision, service) WHERE retired = 0;
-- The few rows that selective searches ask for.
CREATE INDEX catalog_update_installed
  ON catalog_update(service) WHERE is_installed = 1;
CREATE INDEX catalog_update_present
  ON catalog_update(service) WHERE is_present = 1;
CREATE INDEX catalog_update_hidden
  ON catalog_update(service) WHERE is_hidden = 1;
CREATE INDEX catalog_update_reboot
  ON catalog_update(service) WHERE reboot_required = 1;
CREATE INDEX catalog_update_retired
  ON catalog_update(retired) WHERE retired != 0;

-- What is streamed to clients.
CREATE TABLE catalog_content(
  id INTEGER PRIMARY KEY,                -- of catalog_update
  digest BLOB NOT NULL,                  -- SHA-256 of the catalog record
  payloads BLOB NOT NULL,                -- SHA-256 digests, one after another
  localized INTEGER NOT NULL,            -- has rows in catalog_localized
  wire BLOB NOT NULL                     -- usher.v1.Update without state
) STRICT;

-- What is not: usher.repository.v1.UpdateDescription without `update`.
CREATE TABLE catalog_plan(
  id INTEGER PRIMARY KEY,                -- of catalog_update
  plan BLOB NOT NULL
) STRICT;

CREATE TABLE catalog_localized(
  row INTEGER NOT NULL,
  language TEXT NOT NULL,                -- lower case
  replaces_lists INTEGER NOT NULL,       -- overlay has repeated fields
  overlay BLOB NOT NULL,                 -- usher.v1.Update, localized fields
  PRIMARY KEY(row, language)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalog_text(
  id INTEGER PRIMARY KEY,                -- of catalog_update
  name TEXT NOT NULL,
  title TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE catalog_search USING fts5(
  name, title, content = 'catalog_text', content_rowid = 'id',
  tokenize = 'trigram', columnsize = 0);

CREATE TABLE catalog_category(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service INTEGER NOT NULL,
  category_id TEXT NOT NULL,
  parent_id TEXT NOT NULL,               -- '' for a root
  assignable INTEGER NOT NULL,           -- an update may be in it
  retired INTEGER NOT NULL,              -- 0, or microseconds
  record BLOB NOT NULL,                  -- usher.v1.Category
  UNIQUE(service, category_id)
) STRICT;
-- Which files define a category; each file defines all that it uses.
CREATE TABLE catalog_category_file(
  category INTEGER NOT NULL,
  file INTEGER NOT NULL,
  PRIMARY KEY(category, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX catalog_category_file_by_file ON catalog_category_file(file);

CREATE TABLE catalog_member(
  row INTEGER NOT NULL,
  category INTEGER NOT NULL,
  PRIMARY KEY(row, category)
) STRICT, WITHOUT ROWID;
CREATE INDEX catalog_member_by_category ON catalog_member(category, row);

CREATE TABLE catalog_supersedes(
  row INTEGER NOT NULL,
  superseded TEXT NOT NULL,              -- update_id
  PRIMARY KEY(row, superseded)
) STRICT, WITHOUT ROWID;
CREATE INDEX catalog_superseded ON catalog_supersedes(superseded, row);

CREATE TABLE catalog_bundle(
  row INTEGER NOT NULL,
  position INTEGER NOT NULL,
  update_id TEXT NOT NULL,               -- of the same service
  revision INTEGER NOT NULL,
  PRIMARY KEY(row, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX catalog_bundle_by_child ON catalog_bundle(update_id, row);

CREATE TABLE catalog_driver(
  row INTEGER NOT NULL,
  hardware_id TEXT NOT NULL,             -- lower case
  version_date INTEGER NOT NULL,         -- seconds
  PRIMARY KEY(row, hardware_id)
) STRICT, WITHOUT ROWID;

-- Which rows must be evaluated again when a fact about the machine changes.
-- `kind` is usher::catalog::FactKind.
CREATE TABLE rule_dependency(
  row INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY(row, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_dependency_by_fact ON rule_dependency(kind, key, row);

-- The facts that the rows were evaluated with.
CREATE TABLE machine_fact(
  kind INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY(kind, key)
) STRICT, WITHOUT ROWID;

-- Hidden by a user, licence accepted by a user: for every revision.
CREATE TABLE update_decision(
  service_id TEXT NOT NULL,
  update_id TEXT NOT NULL,
  hidden INTEGER NOT NULL,
  eula_accepted INTEGER NOT NULL,
  PRIMARY KEY(service_id, update_id)
) STRICT, WITHOUT ROWID;

-- The last installation or uninstallation of each update.
CREATE TABLE update_receipt(
  service_id TEXT NOT NULL,
  update_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  installed INTEGER NOT NULL,
  reboot_required INTEGER NOT NULL,      -- until boot_id changes
  boot_id TEXT NOT NULL,
  time INTEGER NOT NULL,                 -- microseconds
  PRIMARY KEY(update_id, service_id)
) STRICT, WITHOUT ROWID;
