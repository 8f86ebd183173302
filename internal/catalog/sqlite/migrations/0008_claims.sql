-- The run that embeds an image, while it runs; what runs of older palates left
-- is nobody's.
ALTER TABLE unembedded ADD COLUMN run INTEGER REFERENCES runs (id);
CREATE INDEX unembedded_run ON unembedded (run, model) WHERE run IS NOT NULL;
