-- What one file of a catalog of many costs must not grow with the others.

-- Which rows a catalog file has.
CREATE INDEX catalog_update_by_file ON catalog_update(file) WHERE retired = 0;

CREATE INDEX catalog_update_bundles
  ON catalog_update(service) WHERE is_bundle = 1;

-- How many rows of the service are not retired.
ALTER TABLE catalog_service ADD COLUMN update_count INTEGER NOT NULL DEFAULT 0;
UPDATE catalog_service SET update_count = (
  SELECT count(*) FROM catalog_update u
  WHERE u.service = catalog_service.id AND u.retired = 0);
