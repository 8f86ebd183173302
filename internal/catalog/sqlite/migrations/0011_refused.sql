-- An address that is not asked for is an address, beside the reason. It was
-- one text, "refused:REASON:ADDRESS"; keys are of that text still.
ALTER TABLE tasks ADD COLUMN refused TEXT NOT NULL DEFAULT '';
UPDATE tasks SET
  refused = substr(url, 9, instr(substr(url, 9), ':') - 1),
  url = substr(url, 9 + instr(substr(url, 9), ':'))
WHERE url LIKE 'refused:%:%';
