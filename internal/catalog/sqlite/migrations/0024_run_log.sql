-- What happened while a run was at work, see catalog.RunLog. runs.lines counts
-- all lines, kept or not.
ALTER TABLE runs ADD COLUMN lines INTEGER NOT NULL DEFAULT 0;
CREATE TABLE run_lines (
  run     INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  no      INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  warning INTEGER NOT NULL CHECK (warning IN (0, 1)),
  text    TEXT    NOT NULL,
  PRIMARY KEY (run, no)
) STRICT, WITHOUT ROWID;
