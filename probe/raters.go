package probe

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

// Rating is a grade that one person gave one picture.
type Rating struct {
	Rater string
	Row   int // of the embeddings
	Grade float64
}

// RatersConfig says how raters are judged.
type RatersConfig struct {
	Learn []int // how many pictures of one rater are learned from, each 3 or more
	Draws int   // how often they are drawn anew, 1 or more
	Seed  int64 // draws them
}

// DefaultRatersConfig is the published protocol: 10 and 100 pictures.
func DefaultRatersConfig() RatersConfig {
	return RatersConfig{Learn: []int{10, 100}, Draws: 10, Seed: 1}
}

// FewestJudged is how many pictures must be left to judge a rater by: the
// raters of FLICKR-AES have rated 105 or more.
const FewestJudged = 5

// RatersReport says how well each rater's grades are told from a few of them.
type RatersReport struct {
	Raters  int     `json:"raters"`
	Ratings int     `json:"ratings"`
	Draws   int     `json:"draws"`
	Seconds float64 `json:"seconds"`
	// Repeated are ratings of a work, or of a copy of one, that the rater had
	// rated already: the mean grade counts, once.
	Repeated int            `json:"repeated"`
	Learned  []RatersResult `json:"learned"`
}

// RatersResult is for one number of pictures learned from.
type RatersResult struct {
	From int `json:"from"`
	// Rho is the mean over the judged raters; it is nil without one. Low and
	// High, nil below two, are its 95 % interval for other raters of the kind.
	Rho    *float64     `json:"rho"`
	Low    *float64     `json:"rho_low"`
	High   *float64     `json:"rho_high"`
	Judged []RaterRho   `json:"judged"`
	TooFew []RaterCount `json:"too_few"`  // raters with fewer pictures than From+FewestJudged
	OneFor []RaterCount `json:"one_rank"` // raters with the same grade for all, or for all that were judged
}

// RaterRho is one rater's mean ρ over the draws.
type RaterRho struct {
	Rater    string  `json:"rater"`
	Pictures int     `json:"pictures"`
	Rho      float64 `json:"rho"`
	// Blind is how many draws had one grade throughout, so that nothing was
	// learned: each counts as ρ 0.
	Blind int `json:"blind"`
}

// RaterCount is a rater with the number of different works rated.
type RaterCount struct {
	Rater    string `json:"rater"`
	Pictures int    `json:"pictures"`
}

// JudgeRaters runs the protocol of personalised aesthetics (Ren and others,
// Personalized image aesthetics, 2017): for each rater so many pictures are
// drawn and learned from with FitGrades, and Spearman's ρ of all others of the
// rater's is taken; the mean of the draws is the rater's, and the mean over
// raters is reported with its interval. Of a rater nothing is used but the
// ratings drawn, no other rater's either, and copies of one work are one
// picture, so that nothing that is judged was learned from. rows have norm 1
// and are read only. palate.ErrInvalid for what is no configuration and for
// ratings of rows that are not there.
func JudgeRaters(ctx context.Context, rows [][]float32, ratings []Rating, config RatersConfig) (*RatersReport, error) {
	if config.Draws < 1 || len(config.Learn) == 0 || slices.Min(config.Learn) < 3 {
		return nil, invalid("%d draws of %v pictures, want 1 or more of 3 or more", config.Draws, config.Learn)
	}
	works, err := worksOf(ctx, rows, ratings)
	if err != nil {
		return nil, err
	}
	raters := gather(rows, works, ratings)
	r := &RatersReport{Raters: len(raters), Ratings: len(ratings), Draws: config.Draws, Repeated: len(ratings)}
	for _, rater := range raters {
		r.Repeated -= len(rater.rows)
	}
	for _, from := range config.Learn {
		result, err := judgeAll(ctx, raters, from, config)
		if err != nil {
			return nil, err
		}
		r.Learned = append(r.Learned, result)
	}
	return r, nil
}

// worksOf numbers the works of the rated rows.
func worksOf(ctx context.Context, rows [][]float32, ratings []Rating) (map[int]int, error) {
	var examples []Example
	seen := make(map[int]bool)
	for i, rating := range ratings {
		if rating.Row < 0 || rating.Row >= len(rows) {
			return nil, invalid("rating %d is of row %d, but there are %d rows", i, rating.Row, len(rows))
		}
		if !seen[rating.Row] {
			seen[rating.Row] = true
			examples = append(examples, Example{Row: rating.Row, Embedding: rows[rating.Row]})
		}
	}
	set, err := Set(ctx, examples, true)
	if err != nil {
		return nil, err
	}
	works := make(map[int]int, len(examples))
	for i, e := range set.Examples() {
		works[e.Row] = set.Group(i)
	}
	return works, nil
}

// rater is one person's ratings, one for each work.
type rater struct {
	name   string
	number int // by name
	rows   [][]float32
	grades []float64
}

// gather sorts ratings by rater and works, so that their order in a file does
// not matter.
func gather(rows [][]float32, works map[int]int, ratings []Rating) []*rater {
	sorted := slices.Clone(ratings)
	slices.SortStableFunc(sorted, func(a, b Rating) int {
		return cmp.Or(cmp.Compare(a.Rater, b.Rater), cmp.Compare(works[a.Row], works[b.Row]), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Grade, b.Grade))
	})
	var all []*rater
	for at := 0; at < len(sorted); {
		first := sorted[at]
		sum, n := 0., 0
		for ; at < len(sorted) && sorted[at].Rater == first.Rater && works[sorted[at].Row] == works[first.Row]; at++ {
			sum += sorted[at].Grade
			n++
		}
		if len(all) == 0 || all[len(all)-1].name != first.Rater {
			all = append(all, &rater{name: first.Rater, number: len(all)})
		}
		r := all[len(all)-1]
		r.rows, r.grades = append(r.rows, rows[first.Row]), append(r.grades, sum/float64(n))
	}
	return all
}

func judgeAll(ctx context.Context, raters []*rater, from int, config RatersConfig) (RatersResult, error) {
	result := RatersResult{From: from, Judged: []RaterRho{}, TooFew: []RaterCount{}, OneFor: []RaterCount{}}
	found := make([]*RaterRho, len(raters))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, r := range raters {
		if len(r.rows) >= from+FewestJudged {
			group.Go(func() (err error) {
				found[i], err = r.judge(ctx, from, config)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return result, err
	}
	var all []float64
	for i, r := range raters {
		count := RaterCount{r.name, len(r.rows)}
		switch {
		case found[i] != nil:
			result.Judged = append(result.Judged, *found[i])
			all = append(all, found[i].Rho)
		case len(r.rows) < from+FewestJudged:
			result.TooFew = append(result.TooFew, count)
		default:
			result.OneFor = append(result.OneFor, count)
		}
	}
	if len(all) == 1 {
		result.Rho = &all[0]
	}
	if mean, low, high, err := judge.MeanInterval(all); err == nil {
		low, high = max(-1, low), min(1, high)
		result.Rho, result.Low, result.High = &mean, &low, &high
	}
	return result, nil
}

// judge is the mean of the draws; nil if in none there was an order to find.
func (r *rater) judge(ctx context.Context, from int, config RatersConfig) (*RaterRho, error) {
	out := &RaterRho{Rater: r.name, Pictures: len(r.rows)}
	sum, draws := 0., 0
	for draw := range config.Draws {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		random := rand.New(rand.NewPCG(uint64(config.Seed), uint64(r.number)<<32|uint64(draw)))
		order := random.Perm(len(r.rows))
		rows, grades := r.at(order[:from])
		others, truth := r.at(order[from:])
		if slices.Min(truth) == slices.Max(truth) {
			continue
		}
		draws++
		fitted, err := FitGrades(rows, grades)
		if errors.Is(err, palate.ErrConflict) {
			out.Blind++
			continue
		}
		if err != nil {
			return nil, err
		}
		expected := make([]float64, len(others))
		for i, row := range others {
			expected[i] = fitted.Grade(row)
		}
		if rho, err := judge.Spearman(expected, truth); err == nil {
			sum += rho
		} else {
			out.Blind++ // it expects the same grade of all
		}
	}
	if draws == 0 {
		return nil, nil
	}
	out.Rho = sum / float64(draws)
	return out, nil
}

func (r *rater) at(places []int) (rows [][]float32, grades []float64) {
	for _, i := range places {
		rows, grades = append(rows, r.rows[i]), append(grades, r.grades[i])
	}
	return rows, grades
}
