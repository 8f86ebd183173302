-- What came after a moment, without looking at everything that came before.
CREATE INDEX images_added_at ON images (added_at);
