-- Which role of the repository a catalog file belongs to; '' for its own. A
-- publisher supersedes its own updates only, the repository everybody's.
ALTER TABLE catalog_file ADD COLUMN role TEXT NOT NULL DEFAULT '';
