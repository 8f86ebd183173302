-- What a deleted image had, for as long as it can be brought back: a row of
-- trash beside its tombstone. Ratings need none, their log outlives the image.
-- A column that images, sources, embeddings or embedding_failures get later
-- belongs here too.
CREATE TABLE trash (
  tombstone INTEGER PRIMARY KEY REFERENCES tombstones (no) ON DELETE CASCADE,
  no        INTEGER NOT NULL, -- the image's, which it has again when it comes back
  sha256    BLOB    NOT NULL,
  bytes     INTEGER NOT NULL,
  format    TEXT    NOT NULL,
  width     INTEGER NOT NULL,
  height    INTEGER NOT NULL,
  added_at  INTEGER NOT NULL,
  crawl     INTEGER,
  round     INTEGER
) STRICT;

CREATE TABLE trash_sources (
  tombstone     INTEGER NOT NULL REFERENCES trash (tombstone) ON DELETE CASCADE,
  no            INTEGER NOT NULL, -- as it was, for the order and for the categories
  address       TEXT    NOT NULL,
  page          TEXT    NOT NULL,
  site          TEXT    NOT NULL,
  external_id   TEXT    NOT NULL,
  original_name TEXT    NOT NULL,
  title         TEXT    NOT NULL,
  artist        TEXT    NOT NULL,
  year          INTEGER,
  date          TEXT    NOT NULL,
  medium        TEXT    NOT NULL,
  licence       TEXT    NOT NULL,
  licence_url   TEXT    NOT NULL,
  credit        TEXT    NOT NULL,
  retrieved_at  INTEGER NOT NULL,
  search        TEXT    NOT NULL,
  PRIMARY KEY (tombstone, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE trash_categories (
  tombstone INTEGER NOT NULL REFERENCES trash (tombstone) ON DELETE CASCADE,
  source    INTEGER NOT NULL,
  place     INTEGER NOT NULL,
  category  TEXT    NOT NULL,
  PRIMARY KEY (tombstone, source, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE trash_embeddings (
  tombstone INTEGER NOT NULL REFERENCES trash (tombstone) ON DELETE CASCADE,
  model     INTEGER NOT NULL REFERENCES models (no),
  vector    BLOB    NOT NULL,
  PRIMARY KEY (tombstone, model)
) STRICT;

CREATE TABLE trash_failures (
  tombstone INTEGER NOT NULL REFERENCES trash (tombstone) ON DELETE CASCADE,
  model     INTEGER NOT NULL REFERENCES models (no),
  reason    TEXT    NOT NULL,
  PRIMARY KEY (tombstone, model)
) STRICT, WITHOUT ROWID;
