-- What a crawl was begun with, to resume it: JSON of the command line.
ALTER TABLE crawls ADD COLUMN settings TEXT NOT NULL DEFAULT '';
CREATE INDEX tasks_explained ON tasks (crawl, id) WHERE reason <> '';
CREATE INDEX images_crawl ON images (crawl) WHERE crawl IS NOT NULL;

-- Sources that are looked at again and again, see catalog.Subscription.
CREATE TABLE subscriptions (
  no       INTEGER PRIMARY KEY,
  name     TEXT    NOT NULL UNIQUE,
  settings TEXT    NOT NULL, -- JSON
  every    INTEGER NOT NULL CHECK (every > 0), -- ns
  paused   INTEGER NOT NULL CHECK (paused IN (0, 1)),
  next_at  INTEGER NOT NULL,
  last_at  INTEGER NOT NULL, -- 0: never
  brought  INTEGER NOT NULL,
  failure  TEXT    NOT NULL,
  quiet    INTEGER NOT NULL
) STRICT;
