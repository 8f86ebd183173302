// Package taste learns the tastes of profiles and answers with them: it reads
// ratings and embeddings from the catalog, trains probes, decides which
// version serves, and turns a probe into queries of the index.
//
// A linear probe is a query vector: the images that a profile would like best
// are the nearest ones to the probe's weights under the inner product. Bias
// and calibration are applied to the hits and keep their order. A probe that
// goes by neighbours is asked around every like at once; what was found is
// scored in full.
package taste

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/active"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/probe"
)

// ErrProbeChanged says that the version that the caller goes on with is there no
// more.
var ErrProbeChanged = errors.New("that probe is there no more")

// Config says how tastes are trained.
type Config struct {
	// Probe is how a probe is trained. Without a Kind it is the one that was
	// asked for when the serving version was trained, at first probe.Auto.
	Probe probe.Config

	// RetrainAfter is how many new ratings start a training by themselves;
	// 0 never does.
	RetrainAfter int

	// LookEvery is how often at most Run looks for new ratings.
	LookEvery time.Duration

	// Sketch gives a picture in small (package sketch), by which copies of one
	// work are told whose embeddings lie apart. Nil tells them by their
	// embeddings alone.
	Sketch func(ctx context.Context, id palate.ImageID) ([]byte, error)

	// Active says what is asked about next.
	Active active.Config
}

// DefaultConfig trains as package probe does by default, after every 10 new
// ratings.
func DefaultConfig() Config {
	return Config{Probe: probe.DefaultConfig(), RetrainAfter: 10, LookEvery: time.Second, Active: active.DefaultConfig()}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	problems := []error{c.Probe.Validate(), c.Active.Validate()}
	if c.RetrainAfter < 0 {
		problems = append(problems, fmt.Errorf("taste: RetrainAfter is %d, want 0 or more: %w", c.RetrainAfter, palate.ErrInvalid))
	}
	if c.LookEvery <= 0 {
		problems = append(problems, fmt.Errorf("taste: LookEvery is %v, want more than 0: %w", c.LookEvery, palate.ErrInvalid))
	}
	return errors.Join(problems...)
}

// Tastes serves the tastes of all profiles for one model. It is safe for
// concurrent use.
type Tastes struct {
	catalog catalog.Catalog
	index   index.Index
	model   palate.ModelID
	config  Config
	logger  *slog.Logger

	wholeUpTo   int // images, as wholeImages
	fullyScored int // how many of what was found are scored at least

	requests chan *Training // begun, waiting for Run

	mu       sync.Mutex
	loaded   map[palate.Profile]Version            // the last used version of each profile
	tried    map[palate.Profile]int64              // the newest rating at the last attempt that Run made
	compared map[palate.Profile]*probe.Comparisons // of the profiles trained last
	near     map[palate.Profile]nearScores         // of the last version that went by neighbours
	asked    map[palate.Profile][]palate.ImageID   // handed out by Queue, the last at the end
	drawn    map[palate.Profile]*drawn             // what queues are chosen among
}

// New returns the tastes of the profiles in the catalog, for the model of the
// index. It starts nothing; see Run.
func New(c catalog.Catalog, ix index.Index, config Config, logger *slog.Logger) (*Tastes, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	return &Tastes{
		catalog: c, index: ix, model: ix.Model(), config: config, logger: logger,
		wholeUpTo: wholeImages, fullyScored: fullyScored,
		requests: make(chan *Training, maxWaiting),
		loaded:   make(map[palate.Profile]Version),
		tried:    make(map[palate.Profile]int64),
		compared: make(map[palate.Profile]*probe.Comparisons),
		near:     make(map[palate.Profile]nearScores),
		asked:    make(map[palate.Profile][]palate.ImageID),
		drawn:    make(map[palate.Profile]*drawn),
	}, nil
}

// Version is a probe with its place among the profile's versions.
type Version struct {
	catalog.ProbeVersion
	Learned *probe.Probe
}

// Current returns the version that serves the profile. palate.ErrNotFound if
// none does.
func (t *Tastes) Current(ctx context.Context, p palate.Profile) (Version, error) {
	stored, err := t.catalog.CurrentProbe(ctx, p, t.model)
	if errors.Is(err, palate.ErrNotFound) {
		return Version{}, fmt.Errorf("%s has no probe on these embeddings yet: %w", p, palate.ErrNotFound)
	}
	if err != nil {
		return Version{}, fmt.Errorf("probe of %s: %w", p, err)
	}
	t.mu.Lock()
	known, ok := t.loaded[p]
	t.mu.Unlock()
	// A profile that was deleted and made anew has the same numbers again.
	if ok && known.Version == stored.Version && known.TrainedAt.Equal(stored.TrainedAt) {
		return known, nil
	}
	version, err := t.parse(ctx, stored)
	if err != nil {
		return Version{}, err
	}
	t.mu.Lock()
	t.loaded[p] = version
	t.mu.Unlock()
	return version, nil
}

// parse reads a stored version. Its neighbours' embeddings are in the catalog,
// each once for all versions; a picture that was deleted is no neighbour any
// more.
func (t *Tastes) parse(ctx context.Context, stored catalog.ProbeVersion) (Version, error) {
	learned := new(probe.Probe)
	if err := learned.UnmarshalBinary(stored.Weights); err != nil {
		return Version{}, fmt.Errorf("probe %d of %s: %w", stored.Version, stored.Profile, err)
	}
	if missing := learned.Missing(); len(missing) > 0 {
		embeddings, err := t.catalog.EmbeddingsOf(ctx, stored.Model, missing)
		if err != nil {
			return Version{}, fmt.Errorf("probe %d of %s: %w", stored.Version, stored.Profile, err)
		}
		of := make(map[palate.ImageID]palate.Embedding, len(embeddings))
		for _, e := range embeddings {
			of[e.ID] = e.Embedding
		}
		if err := learned.Fill(of); err != nil {
			return Version{}, fmt.Errorf("probe %d of %s: %w", stored.Version, stored.Profile, err)
		}
	}
	return Version{ProbeVersion: stored, Learned: learned}, nil
}

// Score is what a probe says of one image, or a provisional order.
type Score struct {
	Image       palate.ImageID
	Product     float32 // inner product of the probe's weights and the embedding, by which the index ranks; the score of a provisional order
	Logit       float64 // of a provisional order: its score, which is no logit
	Probability float64 // calibrated; 0 in a provisional order
	Provisional bool
}

// Chance is the probability of a like, nil where none can be told.
func (s Score) Chance() *float64 {
	if s.Provisional {
		return nil
	}
	return &s.Probability
}

func (v Version) score(id palate.ImageID, product float32) Score {
	logit := float64(product) + v.Learned.Bias
	return Score{Image: id, Product: product, Logit: logit, Probability: v.Learned.Probability(logit)}
}

// ScoreEmbedding scores an image that need not be in the collection.
func (v Version) ScoreEmbedding(e palate.Embedding) (Score, error) {
	if err := e.Validate(len(v.Learned.Weights)); err != nil {
		return Score{}, err
	}
	return v.scoreOf(palate.ImageID{}, e), nil
}

// scoreOf scores an image, which does not speak for itself where it was rated.
func (v Version) scoreOf(id palate.ImageID, e palate.Embedding) Score {
	if v.Learned.Linear() {
		logit := v.Learned.Score(e)
		return Score{Image: id, Product: float32(logit - v.Learned.Bias), Logit: logit, Probability: v.Learned.Probability(logit)}
	}
	// Rounded as what an index tells, so that equal products are equal scores.
	return v.score(id, float32(v.Learned.ScoreOf(id, e)-v.Learned.Bias))
}

// RankQuery asks for a part of a profile's ranking.
type RankQuery struct {
	Filter index.Filter
	// MinProbability, if set, leaves out images that are not more probable.
	MinProbability *float64
	Collapse       float32 // as of index.Query
	Limit, Offset  int
	After          *index.Hit // as of index.Query
	// Version, if not 0, ranks, also if another serves by now. LastEntry, if
	// not 0, goes on in a provisional order, by the ratings up to that entry,
	// whether a probe serves meanwhile or not.
	Version   int
	LastEntry int64
}

// Ranking is a part of a ranking, the best image first.
type Ranking struct {
	Version     Version      // that ranked; zero in a provisional order
	Newer       int          // the version that serves by now, if it is another; else 0
	Provisional *Provisional // nil where a probe ranks
	Scores      []Score
}

// Rank ranks the collection by one query of the index, by several where
// neighbours count, or provisionally where
// no probe serves the profile (Provisional). palate.ErrNotFound if it has
// judged nothing either, ErrProbeChanged if q.Version is gone or judges
// embeddings of another model, ErrNoChance if a provisional order is to be cut
// at a probability.
func (t *Tastes) Rank(ctx context.Context, p palate.Profile, q RankQuery) (Ranking, error) {
	version, order, err := t.serving(ctx, p, q.LastEntry)
	if err != nil {
		return Ranking{}, err
	}
	if order != nil {
		ranking, err := t.rankProvisionally(ctx, order, q)
		if err != nil {
			return Ranking{}, fmt.Errorf("ranking of %s: %w", p, err)
		}
		if q.LastEntry != 0 {
			switch current, err := t.Current(ctx, p); {
			case err == nil:
				ranking.Newer = current.Version
			case !errors.Is(err, palate.ErrNotFound):
				return Ranking{}, err
			}
		}
		return ranking, nil
	}
	ranking := Ranking{Version: version}
	if q.Version != 0 && q.Version != version.Version {
		if ranking.Version, err = t.earlier(ctx, p, q.Version); err != nil {
			return Ranking{}, err
		}
		version, ranking.Newer = ranking.Version, version.Version
	}
	if !version.Learned.Linear() {
		if ranking.Scores, err = t.rankNear(ctx, newVersionOrder(version), q); err != nil {
			return Ranking{}, fmt.Errorf("ranking of %s: %w", p, err)
		}
		return ranking, nil
	}
	search := index.Query{
		Vector: version.Learned.Query(), Filter: q.Filter, Collapse: q.Collapse, Limit: q.Limit, Offset: q.Offset, After: q.After,
	}
	if q.MinProbability != nil {
		// The index compares inner products: take calibration and bias away.
		least := float32(version.Learned.LogitAt(*q.MinProbability) - version.Learned.Bias)
		search.Threshold = &least
	}
	hits, err := t.index.Search(ctx, search)
	if err != nil {
		return Ranking{}, fmt.Errorf("ranking of %s: %w", p, err)
	}
	ranking.Scores = make([]Score, len(hits))
	for i, hit := range hits {
		ranking.Scores[i] = version.score(hit.ID, hit.Score)
	}
	return ranking, nil
}

// earlier returns a version that a ranking began with.
func (t *Tastes) earlier(ctx context.Context, p palate.Profile, number int) (Version, error) {
	version, err := t.Version(ctx, p, number)
	if errors.Is(err, palate.ErrNotFound) || err == nil && version.Model != t.model {
		return Version{}, fmt.Errorf("ranking of %s by probe %d: %w", p, number, ErrProbeChanged)
	}
	return version, err
}

// serving returns the version that serves the profile or, where none does or
// an earlier page went by one, a provisional order. palate.ErrNotFound if there
// is neither.
func (t *Tastes) serving(ctx context.Context, p palate.Profile, lastEntry int64) (Version, *Provisional, error) {
	if lastEntry != 0 {
		order, err := t.Provisional(ctx, p, lastEntry)
		return Version{}, order, err
	}
	version, err := t.Current(ctx, p)
	if !errors.Is(err, palate.ErrNotFound) {
		return version, nil, err
	}
	order, provisionalErr := t.Provisional(ctx, p, 0)
	if errors.Is(provisionalErr, palate.ErrNotFound) {
		return Version{}, nil, err
	}
	return Version{}, order, provisionalErr
}

// ScoresOf scores the named images, leaving out those that are not indexed.
// The version is zero where the order is provisional. palate.ErrNotFound as of
// Rank.
func (t *Tastes) ScoresOf(ctx context.Context, p palate.Profile, ids []palate.ImageID) (map[palate.ImageID]Score, Version, error) {
	version, order, err := t.serving(ctx, p, 0)
	if err != nil {
		return nil, Version{}, err
	}
	if order != nil {
		scores := make(map[palate.ImageID]Score, len(ids))
		points, err := t.index.Get(ctx, ids)
		if err != nil {
			return nil, Version{}, fmt.Errorf("scores of %s: %w", p, err)
		}
		for _, point := range points {
			if scores[point.ID], err = order.score(point.ID, point.Embedding); err != nil {
				return nil, Version{}, fmt.Errorf("scores of %s: %w", p, err)
			}
		}
		return scores, Version{}, nil
	}
	if !version.Learned.Linear() {
		scores := make(map[palate.ImageID]Score, len(ids))
		points, err := t.index.Get(ctx, ids)
		if err != nil {
			return nil, Version{}, fmt.Errorf("scores of %s: %w", p, err)
		}
		for _, point := range points {
			scores[point.ID] = version.scoreOf(point.ID, point.Embedding)
		}
		return scores, version, nil
	}
	products, err := t.index.Scores(ctx, version.Learned.Query(), ids)
	if err != nil {
		return nil, Version{}, fmt.Errorf("scores of %s: %w", p, err)
	}
	scores := make(map[palate.ImageID]Score, len(products))
	for id, product := range products {
		scores[id] = version.score(id, product)
	}
	return scores, version, nil
}

// Scorer scores embeddings by what serves a profile. It is safe for concurrent
// use.
type Scorer struct {
	Version     Version      // zero where the order is provisional
	Provisional *Provisional // nil where a probe scores
}

// ScorerOf returns what scores for a profile now. palate.ErrNotFound as of Rank.
func (t *Tastes) ScorerOf(ctx context.Context, p palate.Profile) (Scorer, error) {
	version, order, err := t.serving(ctx, p, 0)
	return Scorer{version, order}, err
}

// ScoreEmbedding scores an image that need not be in the collection.
func (s Scorer) ScoreEmbedding(e palate.Embedding) (Score, error) {
	if s.Provisional != nil {
		return s.Provisional.ScoreEmbedding(e)
	}
	return s.Version.ScoreEmbedding(e)
}
