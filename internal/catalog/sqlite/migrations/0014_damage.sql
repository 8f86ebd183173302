-- What is missing or wrong of an image that is shown all the same, in a
-- sentence; '': nothing. Null: nobody has decoded it since this is kept, as of
-- all that an older palate took in.
ALTER TABLE images ADD COLUMN damage TEXT;
ALTER TABLE trash ADD COLUMN damage TEXT;
CREATE INDEX images_damaged ON images (no) WHERE damage <> '';
CREATE INDEX images_undecoded ON images (id) WHERE damage IS NULL;
