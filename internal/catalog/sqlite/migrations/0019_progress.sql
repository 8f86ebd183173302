-- What a run says of how it goes beside done and total: JSON of its kind.
ALTER TABLE runs ADD COLUMN progress TEXT;
