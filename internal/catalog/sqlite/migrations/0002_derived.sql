-- What could be computed from the rest, kept beside it so that no question
-- has to read a whole log, a whole frontier or all images.

-- The last rating that is not undone, of images that are there.
CREATE TABLE standing (
  profile TEXT    NOT NULL,
  image   INTEGER NOT NULL REFERENCES images (no) ON DELETE CASCADE,
  verdict TEXT    NOT NULL,
  entry   INTEGER NOT NULL REFERENCES ratings (entry),
  PRIMARY KEY (profile, image)
) STRICT, WITHOUT ROWID;
CREATE INDEX standing_image ON standing (image);
CREATE INDEX standing_entry ON standing (profile, entry);
CREATE INDEX standing_verdict ON standing (profile, verdict, entry);
INSERT INTO standing (profile, image, verdict, entry)
  SELECT r.profile, i.no, r.verdict, max(r.entry)
  FROM ratings r JOIN images i ON i.id = r.image
  WHERE r.undoes IS NULL AND NOT EXISTS (SELECT 1 FROM ratings u WHERE u.undoes = r.entry)
  GROUP BY r.profile, i.no;

-- The profiles that ever rated, with their newest rating.
CREATE TABLE profiles (
  name  TEXT    PRIMARY KEY,
  entry INTEGER NOT NULL REFERENCES ratings (entry)
) STRICT, WITHOUT ROWID;
INSERT INTO profiles (name, entry)
  SELECT profile, max(entry) FROM ratings WHERE undoes IS NULL GROUP BY profile;

-- The images that have neither an embedding nor a failure of a model.
CREATE TABLE unembedded (
  model INTEGER NOT NULL REFERENCES models (no),
  image INTEGER NOT NULL REFERENCES images (no) ON DELETE CASCADE,
  PRIMARY KEY (model, image)
) STRICT, WITHOUT ROWID;
CREATE INDEX unembedded_image ON unembedded (image);
INSERT INTO unembedded (model, image)
  SELECT m.no, i.no FROM models m CROSS JOIN images i
  WHERE NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.model = m.no AND e.id = i.id)
    AND NOT EXISTS (SELECT 1 FROM embedding_failures f WHERE f.model = m.no AND f.image = i.no);

-- How many tasks of a crawl's present round stand where.
CREATE TABLE tallies (
  crawl  INTEGER NOT NULL REFERENCES crawls (no),
  state  TEXT    NOT NULL,
  reason TEXT    NOT NULL,
  tasks  INTEGER NOT NULL,
  PRIMARY KEY (crawl, state, reason)
) STRICT, WITHOUT ROWID;
INSERT INTO tallies (crawl, state, reason, tasks)
  SELECT crawl, state, reason, count(*) FROM tasks GROUP BY crawl, state, reason;
