-- What was seen of the machine's clock, see catalog.Clock. 0: never, or not.
-- What an older palate wrote last is what it saw.
CREATE TABLE clock (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  seen    INTEGER NOT NULL,
  doubted INTEGER NOT NULL,
  came    INTEGER NOT NULL, -- Clock.From
  swept   INTEGER NOT NULL
) STRICT;
INSERT INTO clock (one, seen, doubted, came, swept) SELECT 1, max(
  coalesce((SELECT max(updated_at) FROM runs), 0),
  coalesce((SELECT max(added_at) FROM images), 0),
  coalesce((SELECT at FROM ratings ORDER BY entry DESC LIMIT 1), 0)), 0, 0, 0;
