-- The run that works on a task of a crawl, while it runs, so that several share
-- one crawl. No task of an older palate is anybody's.
ALTER TABLE tasks ADD COLUMN run INTEGER REFERENCES runs (id);
CREATE INDEX tasks_run ON tasks (run, crawl) WHERE run IS NOT NULL;
