-- Which rows a catalog file has: a repository may have many small ones, and the
-- work of reading one again must not grow with the others.
CREATE INDEX catalog_update_by_file ON catalog_update(file) WHERE retired = 0;
