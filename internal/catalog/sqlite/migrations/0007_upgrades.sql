-- Which model takes the place of which, see catalog.Upgrade.
CREATE TABLE upgrades (
  former      INTEGER PRIMARY KEY REFERENCES models (no),
  successor   INTEGER NOT NULL REFERENCES models (no),
  started_at  INTEGER NOT NULL,
  finished_at INTEGER NOT NULL CHECK (finished_at >= 0) -- 0: it goes on
) STRICT;
