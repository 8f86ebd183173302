-- A run lives as long as its lease is held; '' is a run of an older palate,
-- which had none. What happens to a run is a change.
ALTER TABLE runs ADD COLUMN lease TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN cancel_asked INTEGER NOT NULL DEFAULT 0 CHECK (cancel_asked IN (0, 1));
DROP INDEX runs_running;
CREATE INDEX runs_running ON runs (id) WHERE state = 'running';
ALTER TABLE changes ADD COLUMN run INTEGER;
