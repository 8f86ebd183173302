package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Profiles implements catalog.Ratings. LastRatedAt is the time of the newest
// rating of the log, whether it stands or not.
func (c *Catalog) Profiles(ctx context.Context) ([]catalog.ProfileSummary, error) {
	var profiles []catalog.ProfileSummary
	err := c.read(ctx, "list profiles", func(ctx context.Context, tx *sql.Tx) (err error) {
		const count = "(SELECT count(*) FROM standing s WHERE s.profile = p.name AND s.verdict = ?)"
		profiles, err = collect(from(tx.QueryContext(ctx,
			"SELECT p.name, "+count+", "+count+", "+count+", r.at FROM profiles p LEFT JOIN ratings r ON r.entry = p.entry ORDER BY p.name",
			string(palate.Like), string(palate.Dislike), string(palate.Skip))),
			func(rows *sql.Rows) (s catalog.ProfileSummary, err error) {
				var at sql.NullInt64
				err = rows.Scan(&s.Profile, &s.Likes, &s.Dislikes, &s.Skips, &at)
				if at.Valid {
					s.LastRatedAt = unstamp(at.Int64)
				}
				return s, err
			})
		return err
	})
	return profiles, err
}

func profileExists(ctx context.Context, tx *sql.Tx, p palate.Profile) (bool, error) {
	return scanOne[bool](tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM profiles WHERE name = ?)", string(p)))
}

// CreateProfile implements catalog.Ratings.
func (c *Catalog) CreateProfile(ctx context.Context, p palate.Profile) error {
	if _, err := palate.ParseProfile(string(p)); err != nil {
		return c.translate(ctx, "create profile", err)
	}
	return c.write(ctx, "create profile", func(ctx context.Context, tx *sql.Tx) error { return createProfile(ctx, tx, p) })
}

func createProfile(ctx context.Context, tx *sql.Tx, p palate.Profile) error {
	exists, err := profileExists(ctx, tx, p)
	if err == nil && exists {
		err = fmt.Errorf("profile %q exists: %w", p, palate.ErrConflict)
	}
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO profiles (name) VALUES (?)", string(p))
	return err
}

// RenameProfile implements catalog.Ratings. The log is append-only: its
// entries are written again under the new name, with their times, and undone
// under the old one.
func (c *Catalog) RenameProfile(ctx context.Context, from, to palate.Profile) error {
	if _, err := palate.ParseProfile(string(to)); err != nil {
		return c.translate(ctx, "rename profile", err)
	}
	return c.write(ctx, "rename profile", func(ctx context.Context, tx *sql.Tx) error {
		if err := mustExist(ctx, tx, from); err != nil {
			return err
		}
		if err := createProfile(ctx, tx, to); err != nil {
			return err
		}
		copies, err := copyLog(ctx, tx, from, to)
		if err != nil {
			return err
		}
		if err := moveProbes(ctx, tx, from, to, copies); err != nil {
			return err
		}
		return forget(ctx, tx, from)
	})
}

// DeleteProfile implements catalog.Ratings.
func (c *Catalog) DeleteProfile(ctx context.Context, p palate.Profile) error {
	return c.write(ctx, "delete profile", func(ctx context.Context, tx *sql.Tx) error {
		if err := mustExist(ctx, tx, p); err != nil {
			return err
		}
		// A change that names a probe keeps its profile and model.
		for _, query := range []string{
			`UPDATE changes SET profile = p.profile, model = (SELECT m.no FROM models m WHERE m.id = p.model), probe = NULL
				FROM probes p WHERE p.no = changes.probe AND p.profile = ?`,
			"DELETE FROM probes WHERE profile = ?",
		} {
			if _, err := tx.ExecContext(ctx, query, string(p)); err != nil {
				return err
			}
		}
		if err := recordChange(ctx, tx, catalog.ProbeChanged, change{profile: p}); err != nil {
			return err
		}
		return forget(ctx, tx, p)
	})
}

func mustExist(ctx context.Context, tx *sql.Tx, p palate.Profile) error {
	exists, err := profileExists(ctx, tx, p)
	if err == nil && !exists {
		err = fmt.Errorf("profile %q: %w", p, palate.ErrNotFound)
	}
	return err
}

// entryCopy is an entry of a log and the one that was made of it.
type entryCopy struct{ old, new int64 }

// copyLog writes the entries of one log again under another name, undos and
// all, and tells which became which.
func copyLog(ctx context.Context, tx *sql.Tx, old, to palate.Profile) ([]entryCopy, error) {
	entries, err := collect(from(tx.QueryContext(ctx, "SELECT "+ratingColumns+" FROM ratings r WHERE r.profile = ? ORDER BY r.entry", string(old))),
		func(rows *sql.Rows) (catalog.LogEntry, error) { return scanEntry(rows) })
	if err != nil {
		return nil, err
	}
	made := make(map[int64]int64, len(entries))
	var copies []entryCopy
	var newest int64
	for _, e := range entries {
		result, err := tx.ExecContext(ctx,
			"INSERT INTO ratings (profile, image, verdict, stars, shown, probe_version, score, at, undoes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			string(to), e.Image[:], orNull(e.Verdict), orNull(e.Stars), string(e.Shown), e.ProbeVersion, e.Score, stamp(e.At), orNull(made[e.Undoes]))
		if err != nil {
			return nil, err
		}
		entry, err := result.LastInsertId()
		if err != nil {
			return nil, err
		}
		made[e.Entry] = entry
		copies = append(copies, entryCopy{e.Entry, entry})
		if e.Verdict != "" {
			newest = entry
		}
	}
	if newest != 0 {
		if _, err := tx.ExecContext(ctx, "UPDATE profiles SET entry = ? WHERE name = ?", newest, string(to)); err != nil {
			return nil, err
		}
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO standing (profile, image, verdict, entry)
		SELECT * FROM (`+given+`) WHERE profile = ?`, string(to))
	if err != nil {
		return nil, err
	}
	return copies, recordRatings(ctx, tx, to)
}

// recordRatings records a change of every standing rating of a profile.
func recordRatings(ctx context.Context, tx *sql.Tx, p palate.Profile) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO changes (kind, image, profile)
		SELECT ?, i.id, s.profile FROM standing s JOIN images i ON i.no = s.image WHERE s.profile = ? ORDER BY s.entry`,
		string(catalog.RatingChanged), string(p))
	return err
}

// moveProbes gives the versions to another name; what they were trained on
// goes by new numbers.
func moveProbes(ctx context.Context, tx *sql.Tx, old, to palate.Profile, copies []entryCopy) error {
	probes, err := collect(from(tx.QueryContext(ctx, "SELECT no, last_entry FROM probes WHERE profile = ?", string(old))),
		func(rows *sql.Rows) (p [2]int64, err error) { return p, rows.Scan(&p[0], &p[1]) })
	if err != nil {
		return err
	}
	for _, p := range probes {
		var last int64
		for _, c := range copies {
			if c.old <= p[1] {
				last = c.new
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE probes SET profile = ?, last_entry = ? WHERE no = ?", string(to), last, p[0]); err != nil {
			return err
		}
	}
	for _, name := range []palate.Profile{old, to} {
		if err := recordChange(ctx, tx, catalog.ProbeChanged, change{profile: name}); err != nil {
			return err
		}
	}
	return nil
}

// forget undoes every rating of a profile, so that nothing of it stands, and
// takes its name off the list.
func forget(ctx context.Context, tx *sql.Tx, p palate.Profile) error {
	if err := recordRatings(ctx, tx, p); err != nil {
		return err
	}
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO ratings (profile, image, shown, probe_version, at, undoes)
			SELECT r.profile, r.image, '', 0, ?, r.entry FROM ratings r WHERE r.profile = ? AND ` + notUndone, []any{nowNS(), string(p)}},
		{"DELETE FROM standing WHERE profile = ?", []any{string(p)}},
		{"DELETE FROM profiles WHERE name = ?", []any{string(p)}},
	} {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return err
		}
	}
	return nil
}
