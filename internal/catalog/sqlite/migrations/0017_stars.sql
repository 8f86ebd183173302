-- A rating may carry stars, and a row may take back what stood: one without a
-- verdict that undoes nothing. A check can't be changed in place, so that the
-- log is written once more, entry by entry as it was.

-- What refers to the log waits aside.
CREATE TABLE standing_kept AS SELECT profile, image, verdict, entry FROM standing;
CREATE TABLE profiles_kept AS SELECT name, entry FROM profiles;
DROP TABLE standing;
DROP TABLE profiles;

CREATE TABLE ratings_kept (
  entry         INTEGER PRIMARY KEY AUTOINCREMENT,
  profile       TEXT    NOT NULL,
  image         BLOB    NOT NULL CHECK (length(image) = 16),
  verdict       TEXT    CHECK (verdict IN ('like', 'dislike', 'skip')), -- none: a take-back, or an undo
  stars         INTEGER CHECK (stars BETWEEN 1 AND 5),
  shown         TEXT    NOT NULL,
  probe_version INTEGER NOT NULL,
  score         REAL,
  at            INTEGER NOT NULL,
  undoes        INTEGER REFERENCES ratings_kept (entry),
  CHECK (verdict IS NULL OR undoes IS NULL),
  CHECK (stars IS NULL OR verdict IS NOT NULL)
) STRICT;
INSERT INTO ratings_kept (entry, profile, image, verdict, shown, probe_version, score, at, undoes)
  SELECT entry, profile, image, verdict, shown, probe_version, score, at, undoes FROM ratings ORDER BY entry;
DROP TABLE ratings;
ALTER TABLE ratings_kept RENAME TO ratings;
CREATE UNIQUE INDEX ratings_undoes ON ratings (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX ratings_image ON ratings (image, profile, entry);
CREATE INDEX ratings_profile ON ratings (profile, entry);
CREATE TRIGGER ratings_no_update BEFORE UPDATE ON ratings
BEGIN SELECT RAISE(ABORT, 'the log of ratings is append-only'); END;
CREATE TRIGGER ratings_no_delete BEFORE DELETE ON ratings
BEGIN SELECT RAISE(ABORT, 'the log of ratings is append-only'); END;
CREATE TRIGGER ratings_no_replace BEFORE INSERT ON ratings
WHEN EXISTS (SELECT 1 FROM ratings WHERE entry = NEW.entry) OR EXISTS (SELECT 1 FROM ratings WHERE undoes = NEW.undoes)
BEGIN SELECT RAISE(ABORT, 'the log of ratings is append-only'); END;

CREATE TABLE standing (
  profile TEXT    NOT NULL,
  image   INTEGER NOT NULL REFERENCES images (no) ON DELETE CASCADE,
  verdict TEXT    NOT NULL,
  entry   INTEGER NOT NULL REFERENCES ratings (entry),
  PRIMARY KEY (profile, image)
) STRICT, WITHOUT ROWID;
INSERT INTO standing (profile, image, verdict, entry) SELECT profile, image, verdict, entry FROM standing_kept;
CREATE INDEX standing_image ON standing (image);
CREATE INDEX standing_entry ON standing (profile, entry);
CREATE INDEX standing_verdict ON standing (profile, verdict, entry);
DROP TABLE standing_kept;
CREATE TABLE profiles (
  name  TEXT    PRIMARY KEY,
  entry INTEGER REFERENCES ratings (entry)
) STRICT, WITHOUT ROWID;
INSERT INTO profiles (name, entry) SELECT name, entry FROM profiles_kept;
DROP TABLE profiles_kept;
