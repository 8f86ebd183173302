-- A profile may be there before its first rating: entry is null then.
CREATE TABLE profiles_new (
  name  TEXT    PRIMARY KEY,
  entry INTEGER REFERENCES ratings (entry)
) STRICT, WITHOUT ROWID;
INSERT INTO profiles_new (name, entry) SELECT name, entry FROM profiles;
DROP TABLE profiles;
ALTER TABLE profiles_new RENAME TO profiles;
CREATE INDEX changes_probe ON changes (probe) WHERE probe IS NOT NULL;
