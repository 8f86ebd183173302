-- What can't be derived from anything else.

CREATE TABLE crawls (
  no       INTEGER PRIMARY KEY,
  name     TEXT    NOT NULL UNIQUE,
  round    INTEGER NOT NULL,
  begun_at INTEGER NOT NULL
) STRICT;

-- no is never given twice, so that a cursor stays where it is after deletions.
CREATE TABLE images (
  no       INTEGER PRIMARY KEY AUTOINCREMENT,
  id       BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
  sha256   BLOB    NOT NULL CHECK (length(sha256) = 32),
  bytes    INTEGER NOT NULL,
  format   TEXT    NOT NULL,
  width    INTEGER NOT NULL,
  height   INTEGER NOT NULL,
  added_at INTEGER NOT NULL,
  crawl    INTEGER REFERENCES crawls (no), -- that added it, in this round
  round    INTEGER
) STRICT;

CREATE TABLE sources (
  no            INTEGER PRIMARY KEY,
  image         INTEGER NOT NULL REFERENCES images (no) ON DELETE CASCADE,
  address       TEXT    NOT NULL,
  page          TEXT    NOT NULL,
  site          TEXT    NOT NULL,
  external_id   TEXT    NOT NULL,
  original_name TEXT    NOT NULL,
  title         TEXT    NOT NULL,
  artist        TEXT    NOT NULL,
  year          INTEGER, -- null: not known
  date          TEXT    NOT NULL,
  medium        TEXT    NOT NULL,
  licence       TEXT    NOT NULL,
  licence_url   TEXT    NOT NULL,
  credit        TEXT    NOT NULL,
  retrieved_at  INTEGER NOT NULL,
  search        TEXT    NOT NULL, -- title and artist, case folded
  UNIQUE (image, address)
) STRICT;
CREATE INDEX sources_address ON sources (address);
CREATE INDEX sources_external_id ON sources (external_id, image) WHERE external_id <> '';
CREATE INDEX sources_artist ON sources (artist, image);
CREATE INDEX sources_licence ON sources (licence, image);
CREATE INDEX sources_site ON sources (site, image);
CREATE INDEX sources_year ON sources (year, image) WHERE year IS NOT NULL;

CREATE TABLE categories (
  source   INTEGER NOT NULL REFERENCES sources (no) ON DELETE CASCADE,
  place    INTEGER NOT NULL,
  category TEXT    NOT NULL,
  image    INTEGER NOT NULL,
  PRIMARY KEY (source, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX categories_category ON categories (category, image);

CREATE TABLE tombstones (
  no         INTEGER PRIMARY KEY AUTOINCREMENT,
  id         BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
  reason     TEXT    NOT NULL,
  deleted_at INTEGER NOT NULL
) STRICT;
CREATE TABLE tombstone_addresses (
  address   TEXT    NOT NULL,
  tombstone INTEGER NOT NULL REFERENCES tombstones (no) ON DELETE CASCADE,
  PRIMARY KEY (address, tombstone)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstone_addresses_tombstone ON tombstone_addresses (tombstone);

-- The log of ratings: a row is a rating, or the undo of the entry it names.
-- It holds the image's id, not its number: it outlives the image.
CREATE TABLE ratings (
  entry         INTEGER PRIMARY KEY AUTOINCREMENT,
  profile       TEXT    NOT NULL,
  image         BLOB    NOT NULL CHECK (length(image) = 16),
  verdict       TEXT    CHECK (verdict IN ('like', 'dislike', 'skip')),
  shown         TEXT    NOT NULL,
  probe_version INTEGER NOT NULL,
  score         REAL,
  at            INTEGER NOT NULL,
  undoes        INTEGER REFERENCES ratings (entry),
  CHECK ((verdict IS NULL) = (undoes IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX ratings_undoes ON ratings (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX ratings_image ON ratings (image, profile, entry);
CREATE INDEX ratings_profile ON ratings (profile, entry);
CREATE TRIGGER ratings_no_update BEFORE UPDATE ON ratings
BEGIN SELECT RAISE(ABORT, 'the log of ratings is append-only'); END;
CREATE TRIGGER ratings_no_delete BEFORE DELETE ON ratings
BEGIN SELECT RAISE(ABORT, 'the log of ratings is append-only'); END;

-- REPLACE deletes without the trigger above.
CREATE TRIGGER ratings_no_replace BEFORE INSERT ON ratings
WHEN EXISTS (SELECT 1 FROM ratings WHERE entry = NEW.entry) OR EXISTS (SELECT 1 FROM ratings WHERE undoes = NEW.undoes)
BEGIN SELECT RAISE(ABORT, 'the log of ratings is append-only'); END;

CREATE TABLE models (
  no          INTEGER PRIMARY KEY,
  id          TEXT    NOT NULL UNIQUE,
  name        TEXT    NOT NULL,
  dim         INTEGER NOT NULL CHECK (dim > 0),
  description TEXT
) STRICT;

-- A vector is dim float32 values, little-endian. The table is not clustered
-- by its key: a 3 KB vector in an inner node of the tree would cost height.
CREATE TABLE embeddings (
  no     INTEGER PRIMARY KEY,
  model  INTEGER NOT NULL REFERENCES models (no),
  id     BLOB    NOT NULL CHECK (length(id) = 16),
  image  INTEGER NOT NULL REFERENCES images (no) ON DELETE CASCADE,
  vector BLOB    NOT NULL,
  UNIQUE (model, id)
) STRICT;
CREATE INDEX embeddings_image ON embeddings (image, model);

CREATE TABLE embedding_failures (
  model  INTEGER NOT NULL REFERENCES models (no),
  image  INTEGER NOT NULL REFERENCES images (no) ON DELETE CASCADE,
  reason TEXT    NOT NULL,
  PRIMARY KEY (model, image)
) STRICT, WITHOUT ROWID;
CREATE INDEX embedding_failures_image ON embedding_failures (image);

-- key is 16 bytes of SHA-256 over kind and URL.
CREATE TABLE tasks (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  crawl        INTEGER NOT NULL REFERENCES crawls (no),
  key          BLOB    NOT NULL,
  kind         TEXT    NOT NULL,
  rank         INTEGER NOT NULL, -- 0: a picture, 1: a page
  url          TEXT    NOT NULL,
  referer      TEXT    NOT NULL,
  depth        INTEGER NOT NULL,
  attempts     INTEGER NOT NULL,
  not_before   INTEGER NOT NULL, -- 0: at once
  state        TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  detail       TEXT    NOT NULL,
  source       TEXT,             -- JSON; null once the task has ended
  alternatives TEXT,             -- JSON; null if there are none
  UNIQUE (crawl, key)
) STRICT;
CREATE INDEX tasks_ready ON tasks (crawl, rank, id) WHERE state = 'pending' AND not_before = 0;
CREATE INDEX tasks_delayed ON tasks (crawl, not_before) WHERE state = 'pending' AND not_before <> 0;

CREATE TABLE probes (
  no         INTEGER PRIMARY KEY AUTOINCREMENT,
  profile    TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  model      TEXT    NOT NULL,
  weights    BLOB    NOT NULL,
  report     TEXT,
  last_entry INTEGER NOT NULL,
  run        INTEGER NOT NULL,
  current    INTEGER NOT NULL CHECK (current IN (0, 1)),
  reason     TEXT    NOT NULL,
  trained_at INTEGER NOT NULL,
  UNIQUE (profile, version)
) STRICT;
CREATE UNIQUE INDEX probes_current ON probes (profile, model) WHERE current = 1;

CREATE TABLE runs (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  kind        TEXT    NOT NULL,
  profile     TEXT    NOT NULL,
  state       TEXT    NOT NULL,
  done        INTEGER NOT NULL,
  total       INTEGER NOT NULL,
  result      TEXT,
  error       TEXT    NOT NULL,
  started_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  finished_at INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_running ON runs (updated_at) WHERE state = 'running';

-- One writer at a time gives numbers in the order of commits.
CREATE TABLE changes (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  kind    TEXT    NOT NULL,
  image   BLOB,
  profile TEXT,
  model   INTEGER REFERENCES models (no),
  probe   INTEGER REFERENCES probes (no)
) STRICT;
CREATE TABLE compaction (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  up_to INTEGER NOT NULL
) STRICT;
INSERT INTO compaction (one, up_to) VALUES (1, 0);

CREATE TABLE followers (
  name   TEXT    PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
