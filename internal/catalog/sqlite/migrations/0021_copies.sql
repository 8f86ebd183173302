-- Which images show one work, by a version of the search for copies; an image of
-- a pair of which only the other was looked at is here as well.
CREATE TABLE copies (
  image   INTEGER PRIMARY KEY REFERENCES images (no) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  work    INTEGER NOT NULL,
  looked  INTEGER NOT NULL CHECK (looked IN (0, 1))
) STRICT;
CREATE INDEX copies_work ON copies (version, work, looked);
