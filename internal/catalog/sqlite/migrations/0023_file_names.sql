-- A source without a title is found by what its file's name gives for one.
-- search_text is searchText, in Go: SQLite folds the letters of ASCII alone.
UPDATE sources SET search = search_text(title, original_name, artist) WHERE title = '' AND original_name <> '';
UPDATE trash_sources SET search = search_text(title, original_name, artist) WHERE title = '' AND original_name <> '';
