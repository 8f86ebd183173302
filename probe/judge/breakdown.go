package judge

import (
	"cmp"
	"slices"
)

// Breakdown shows how the probe does by artist or by site.
type Breakdown struct {
	By     string  `json:"by"` // "artist" or "site"
	Groups []Share `json:"groups"`

	// AlikeAUC is what knowing nothing but the artist (or site) would reach:
	// every work is predicted by the share of likes among the artist's other
	// works outside its fold.
	AlikeAUC float64 `json:"alike_auc"`
	// WithinAUC is the probe's on pairs of works by the same artist, over
	// WithinPairs of them; a probe that only knows artists is at .5 here.
	// It is 0 without such a pair.
	WithinAUC   float64 `json:"within_auc"`
	WithinLow   float64 `json:"within_low"`
	WithinHigh  float64 `json:"within_high"`
	WithinPairs int     `json:"within_pairs"`
}

// Share is the works of one artist or site.
type Share struct {
	Name  string `json:"name"`
	Works int    `json:"works"`
	Likes int    `json:"likes"`
	// MeanProbability is what the probe gives them on average.
	MeanProbability float64 `json:"mean_probability"`
	// Right is the share of right decisions.
	Right float64 `json:"right"`
}

const (
	// shortcutPairs is how many pairs within a group it takes to speak of a
	// shortcut.
	shortcutPairs = 20
	// shortcutAUC is what a group alone must reach for it.
	shortcutAUC = .7
)

// shortcut reports whether the probe may have learned who made a picture
// rather than what it shows.
func (b Breakdown) shortcut() bool {
	return b.WithinPairs >= shortcutPairs && b.WithinLow <= .5 && b.AlikeAUC >= shortcutAUC
}

// breakdowns are by artist and by site, where at least two are known.
func (s *Set) breakdowns(j *judged) []Breakdown {
	var out []Breakdown
	for _, by := range []struct {
		name string
		of   func(Example) string
	}{
		{"artist", func(e Example) string { return e.Artist }},
		{"site", func(e Example) string { return e.Site }},
	} {
		names := make([]string, len(j.works))
		known := make(map[string]bool)
		for i, w := range j.works {
			names[i] = by.of(s.examples[w.Members[0]])
			if names[i] != "" {
				known[names[i]] = true
			}
		}
		if len(known) > 1 {
			out = append(out, j.breakdown(by.name, names))
		}
	}
	return out
}

// breakdown is of works with a name each; nameless ones are left out.
func (j *judged) breakdown(by string, names []string) Breakdown {
	b := Breakdown{By: by}
	at := make(map[string]int)
	var members []int
	for i, name := range names {
		if name == "" {
			continue
		}
		members = append(members, i)
		if _, seen := at[name]; !seen {
			at[name] = len(b.Groups)
			b.Groups = append(b.Groups, Share{Name: name})
		}
		g := &b.Groups[at[name]]
		g.Works++
		g.MeanProbability += j.probabilities[i]
		if j.liked[i] {
			g.Likes++
		}
		if (j.margins[i] >= 0) == j.liked[i] {
			g.Right++
		}
	}
	liked := make([]bool, len(members))
	for k, i := range members {
		liked[k] = j.liked[i]
	}
	within, alike := newPlacements(len(members)), newPlacements(len(members))
	for round := range j.scores {
		scores, known, strata, parts := make([]float64, len(members)), make([]float64, len(members)), make([]int, len(members)), make([]int, len(members))
		for k, i := range members {
			scores[k], parts[k] = j.scores[round][i], j.parts[round][i]
			strata[k] = j.parts[round][i]*len(b.Groups) + at[names[i]]
			likes, n := 1., 2. // nothing known of an artist is one half
			for _, other := range members {
				if names[other] == names[i] && j.parts[round][other] != parts[k] {
					n++
					if j.liked[other] {
						likes++
					}
				}
			}
			known[k] = likes / n
		}
		within.add(scores, liked, strata)
		alike.add(known, liked, parts)
	}
	if alike.total > 0 {
		b.AlikeAUC = alike.won / alike.total
	}
	if within.total > 0 {
		b.WithinAUC, b.WithinLow, b.WithinHigh = within.interval(liked)
		b.WithinPairs = int(within.total) / len(j.scores)
	}
	for i := range b.Groups {
		g := &b.Groups[i]
		g.MeanProbability /= float64(g.Works)
		g.Right /= float64(g.Works)
	}
	slices.SortFunc(b.Groups, func(a, c Share) int { return cmp.Or(cmp.Compare(c.Works, a.Works), cmp.Compare(a.Name, c.Name)) })
	return b
}
