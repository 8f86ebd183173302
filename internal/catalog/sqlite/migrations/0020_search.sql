-- What is searched, in the order of images and without the rest of the rows.
CREATE INDEX sources_search ON sources (image, search);
