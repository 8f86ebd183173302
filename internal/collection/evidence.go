package collection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe/judge"
)

const (
	// rivalShare is the share of the most embeddings from which on a model is
	// a rival of the one that has them.
	rivalShare = .95
	// leastShared is how many works two probes must have been judged on both
	// before one is preferred.
	leastShared = 40
	// surelyBetter is the P below which a difference is no chance.
	surelyBetter = .05
)

// preferMeasured puts last, of the models that may serve, the one that tells a
// taste best by what was measured: by the serving probes of the profile that
// has judged most, held out, on the works that both were judged on. Where the
// test of DeLong et al. (1988) tells no difference, the order stays. The last
// model then says what is known.
func (c *Collection) preferMeasured(ctx context.Context, used []Used) error {
	first := len(used) - 1
	for first > 0 && used[first-1].rivals(used[len(used)-1]) {
		first--
	}
	if first < 0 || first == len(used)-1 {
		return nil
	}
	rivals := used[first:]
	reports, profile, err := c.measured(ctx, rivals)
	if err != nil {
		return err
	}
	for i := range len(rivals) - 1 {
		last := len(rivals) - 1
		d := compared(reports, rivals[i], rivals[last])
		if d.Works >= leastShared && d.AUC > 0 && d.P < surelyBetter {
			rivals[i], rivals[last] = rivals[last], rivals[i]
		}
	}
	rivals[len(rivals)-1].evidence = evidence(rivals, reports, profile)
	return nil
}

// rivals reports whether u may as well serve as v, which would.
func (u Used) rivals(v Used) bool {
	return !u.replaced && !v.replaced && !u.candidate && !v.candidate && float64(u.embedded) >= rivalShare*float64(v.embedded)
}

// measured gives the reports of one profile's serving probes by model: of the
// profile that has the most ratings among those with probes of two of them. The
// reports of others, which may be many, are not read.
func (c *Collection) measured(ctx context.Context, rivals []Used) (map[palate.ModelID]*judge.Report, palate.Profile, error) {
	profiles, err := c.Catalog.Profiles(ctx)
	if err != nil {
		return nil, "", err
	}
	slices.SortStableFunc(profiles, func(a, b catalog.ProfileSummary) int {
		return cmp.Compare(b.Likes+b.Dislikes, a.Likes+a.Dislikes)
	})
	for _, p := range profiles {
		reports, err := c.reportsOf(ctx, p.Profile, rivals)
		if err != nil || len(reports) > 1 {
			return reports, p.Profile, err
		}
	}
	return nil, "", nil
}

// reportsOf gives a profile's reports by model, where it has two or more.
func (c *Collection) reportsOf(ctx context.Context, profile palate.Profile, rivals []Used) (map[palate.ModelID]*judge.Report, error) {
	var serving []catalog.ProbeVersion
	for _, u := range rivals {
		current, err := c.Catalog.CurrentProbe(ctx, profile, u.id)
		if err == nil {
			serving = append(serving, current)
		} else if !errors.Is(err, palate.ErrNotFound) {
			return nil, err
		}
	}
	if len(serving) < 2 {
		return nil, nil
	}
	reports := make(map[palate.ModelID]*judge.Report)
	for _, current := range serving {
		stored, err := c.Catalog.ProbeVersion(ctx, profile, current.Version)
		if err != nil {
			return nil, err
		}
		report, err := taste.ReportOf(stored)
		if err == nil {
			reports[current.Model] = report
		} else if !errors.Is(err, palate.ErrNotFound) { // an imported one has none
			return nil, err
		}
	}
	return reports, nil
}

func compared(reports map[palate.ModelID]*judge.Report, a, b Used) judge.Difference {
	first, second := reports[a.id], reports[b.id]
	if first == nil || second == nil {
		return judge.Difference{P: 1}
	}
	return judge.Compare(first.OutOfFold, second.OutOfFold)
}

// evidence says which of the models goes on, and why.
func evidence(rivals []Used, reports map[palate.ModelID]*judge.Report, profile palate.Profile) string {
	chosen, second := rivals[len(rivals)-1], rivals[len(rivals)-2]
	for _, u := range rivals[:len(rivals)-1] { // the best of the others
		if r, best := reports[u.id], reports[second.id]; r != nil && (best == nil || r.AUC > best.AUC) {
			second = u
		}
	}
	text := fmt.Sprintf("the collection's pictures are embedded by %s and by %s", called(chosen, second), called(second, chosen))
	other := "; for the other: --model " + second.name
	if chosen.name == second.name {
		other = "" // what tells them apart takes several flags
	}
	if reports[chosen.id] == nil || reports[second.id] == nil {
		return text + ": " + called(chosen, second) + " goes on; which tells a taste better is known once palate train has run with each" + other
	}
	d := compared(reports, chosen, second)
	figures := fmt.Sprintf("on the %d ratings of %s that both were judged on, held out, AUC %.3f against %.3f (p = %.3f)",
		d.Works, profile, reports[chosen.id].AUC, reports[second.id].AUC, d.P)
	if d.Works >= leastShared && d.AUC > 0 && d.P < surelyBetter {
		return text + ": the first tells the taste better and goes on, " + figures + other
	}
	return text + ": which tells the taste better is not known, " + figures + "; " + called(chosen, second) + " goes on" + other
}

// called names a model so that it is told from another.
func called(u, other Used) string {
	if u.name != other.name {
		return u.name
	}
	return u.name + " (" + u.id.Short() + ")"
}
