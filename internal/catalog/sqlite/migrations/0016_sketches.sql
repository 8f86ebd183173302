-- What pictures look like in small, made when it is first asked for; another
-- version than the present one is made anew.
CREATE TABLE sketches (
  image   INTEGER PRIMARY KEY REFERENCES images (no) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  pixels  BLOB    NOT NULL
) STRICT;
