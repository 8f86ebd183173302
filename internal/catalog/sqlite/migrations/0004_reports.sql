-- A report grows with the ratings: it lies apart from what is read of a
-- version at every request. The summary is the report without its lists.
CREATE TABLE probe_reports (
  probe  INTEGER PRIMARY KEY REFERENCES probes (no) ON DELETE CASCADE,
  report TEXT    NOT NULL
) STRICT;
INSERT INTO probe_reports (probe, report) SELECT no, report FROM probes WHERE report IS NOT NULL;
ALTER TABLE probes ADD COLUMN summary TEXT;
UPDATE probes SET summary = json_remove(report, '$.out_of_fold', '$.metrics', '$.explore', '$.baselines', '$.breakdowns',
  '$.learning_curve', '$.strengths', '$.stops', '$.warnings');
ALTER TABLE probes DROP COLUMN report;
