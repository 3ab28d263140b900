-- Verified files in {cache}/content, by SHA-256.
CREATE TABLE content(
  sha256 BLOB PRIMARY KEY CHECK(length(sha256) = 32),
  size INTEGER NOT NULL CHECK(size >= 0),
  last_used INTEGER NOT NULL             -- microseconds
) STRICT, WITHOUT ROWID;
