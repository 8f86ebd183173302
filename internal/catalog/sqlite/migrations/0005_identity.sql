-- Which catalog this is, and to which image store its rows belong ('' is not
-- known yet): an image store beside which another catalog lies is told apart.
CREATE TABLE identity (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  catalog TEXT    NOT NULL,
  store   TEXT    NOT NULL
) STRICT;
INSERT INTO identity (one, catalog, store) VALUES (1, lower(hex(randomblob(16))), '');
