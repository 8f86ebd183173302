package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// AddProbe implements catalog.Probes.
func (c *Catalog) AddProbe(ctx context.Context, p catalog.ProbeVersion) (catalog.ProbeVersion, error) {
	_, err := palate.ParseProfile(string(p.Profile))
	if err := errors.Join(err, checkName("model id", string(p.Model)), checkJSON("probe's summary", p.Summary), checkJSON("probe's report", p.Report)); err != nil {
		return catalog.ProbeVersion{}, c.translate(ctx, "add probe", err)
	}
	if p.Weights == nil {
		p.Weights = []byte{} // nil would be stored as NULL
	}
	p.Reason = mend(p.Reason)
	err = c.write(ctx, "add probe", func(ctx context.Context, tx *sql.Tx) error {
		var err error
		p.TrainedAt = time.Now().UTC()
		p.Version, err = scanOne[int](tx.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) + 1 FROM probes WHERE profile = ?", string(p.Profile)))
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `
			INSERT INTO probes (profile, version, model, weights, summary, last_entry, run, current, reason, trained_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)`,
			string(p.Profile), p.Version, string(p.Model), p.Weights, nullJSON(p.Summary), p.LastEntry, p.Run, p.Reason, stamp(p.TrainedAt))
		if err != nil {
			return err
		}
		no, err := result.LastInsertId()
		if err != nil {
			return err
		}
		if p.Report != nil {
			if _, err := tx.ExecContext(ctx, "INSERT INTO probe_reports (probe, report) VALUES (?, ?)", no, string(p.Report)); err != nil {
				return err
			}
		}
		if !p.Current {
			return nil
		}
		return makeCurrent(ctx, tx, no)
	})
	if err != nil {
		return catalog.ProbeVersion{}, err
	}
	return p, nil
}

// makeCurrent lets one probe take over from the present one of its profile
// and model.
func makeCurrent(ctx context.Context, tx *sql.Tx, no int64) error {
	for _, query := range []string{
		`UPDATE probes SET current = 0 WHERE current = 1
			AND (profile, model) = (SELECT profile, model FROM probes WHERE no = ?)`,
		"UPDATE probes SET current = 1 WHERE no = ?",
	} {
		if _, err := tx.ExecContext(ctx, query, no); err != nil {
			return err
		}
	}
	return recordChange(ctx, tx, catalog.ProbeChanged, change{probe: no})
}

// probeColumns read a version without its report.
const probeColumns = "profile, version, model, weights, summary, last_entry, run, current, reason, trained_at"

// scanProbe reads probeColumns and then whatever more says.
func scanProbe(row interface{ Scan(...any) error }, more ...any) (p catalog.ProbeVersion, err error) {
	var summary sql.NullString
	var trained int64
	err = row.Scan(append([]any{&p.Profile, &p.Version, &p.Model, &p.Weights, &summary, &p.LastEntry, &p.Run, &p.Current, &p.Reason, &trained}, more...)...)
	p.Summary = rawJSON(summary)
	p.TrainedAt = unstamp(trained)
	return p, err
}

// CurrentProbe implements catalog.Probes.
func (c *Catalog) CurrentProbe(ctx context.Context, p palate.Profile, m palate.ModelID) (catalog.ProbeVersion, error) {
	var probe catalog.ProbeVersion
	err := c.read(ctx, "read probe", func(ctx context.Context, tx *sql.Tx) (err error) {
		probe, err = scanProbe(tx.QueryRowContext(ctx,
			"SELECT "+probeColumns+" FROM probes WHERE profile = ? AND model = ? AND current = 1", string(p), string(m)))
		return orNotFound(err, "current probe of profile %q with model %s", p, m.Short())
	})
	if err != nil {
		return catalog.ProbeVersion{}, err
	}
	return probe, nil
}

// ProbeVersion implements catalog.Probes.
func (c *Catalog) ProbeVersion(ctx context.Context, p palate.Profile, version int) (catalog.ProbeVersion, error) {
	var probe catalog.ProbeVersion
	err := c.read(ctx, "read probe", func(ctx context.Context, tx *sql.Tx) (err error) {
		var report sql.NullString
		probe, err = scanProbe(tx.QueryRowContext(ctx,
			"SELECT "+probeColumns+", (SELECT report FROM probe_reports WHERE probe = no) FROM probes WHERE profile = ? AND version = ?", string(p), version), &report)
		probe.Report = rawJSON(report)
		return orNotFound(err, "probe version %d of profile %q", version, p)
	})
	if err != nil {
		return catalog.ProbeVersion{}, err
	}
	return probe, nil
}

// ListProbes implements catalog.Probes.
func (c *Catalog) ListProbes(ctx context.Context, p palate.Profile) ([]catalog.ProbeVersion, error) {
	var probes []catalog.ProbeVersion
	err := c.read(ctx, "list probes", func(ctx context.Context, tx *sql.Tx) (err error) {
		probes, err = collect(from(tx.QueryContext(ctx,
			"SELECT profile, version, model, NULL, summary, last_entry, run, current, reason, trained_at FROM probes WHERE profile = ? ORDER BY version DESC", string(p))),
			func(rows *sql.Rows) (catalog.ProbeVersion, error) { return scanProbe(rows) })
		return err
	})
	return probes, err
}

// MakeProbeCurrent implements catalog.Probes. A version that serves already
// goes on, and no change is recorded.
func (c *Catalog) MakeProbeCurrent(ctx context.Context, p palate.Profile, version int) error {
	return c.write(ctx, "make probe current", func(ctx context.Context, tx *sql.Tx) error {
		var no int64
		var current bool
		err := tx.QueryRowContext(ctx, "SELECT no, current FROM probes WHERE profile = ? AND version = ?", string(p), version).Scan(&no, &current)
		if err != nil {
			return orNotFound(err, "probe version %d of profile %q", version, p)
		}
		if current {
			return nil
		}
		return makeCurrent(ctx, tx, no)
	})
}
