-- What a run did not take, or took though it is damaged, see
-- catalog.RunLosses. runs.losses counts all of them, kept in the list or not.
ALTER TABLE runs ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
CREATE TABLE run_losses (
  run    INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  no     INTEGER NOT NULL,
  path   TEXT    NOT NULL,
  reason TEXT    NOT NULL,
  kept   INTEGER NOT NULL CHECK (kept IN (0, 1)),
  what   TEXT    NOT NULL,
  PRIMARY KEY (run, no)
) STRICT, WITHOUT ROWID;
