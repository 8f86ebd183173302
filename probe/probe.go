package probe

import (
	"slices"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

// Probe is a taste that has been learned: a linear function of an embedding,
// to which some kinds add, or put in its place, nearness to what was rated.
// It is a value: nothing of it changes by use, and reading it is safe for
// concurrent use.
type Probe struct {
	// Model made the embeddings that it was trained on, and that it can
	// judge.
	Model palate.ModelID `json:"model"`

	// Weights and Bias give the score w·x + b of an embedding as it is
	// stored. Weights are as many as the embedding has values, and all 0
	// where neighbours alone count.
	Weights []float32 `json:"weights"`
	Bias    float64   `json:"bias"`

	// Nearness, if not nil, adds to the score what neighbours say.
	Nearness *Nearness `json:"nearness,omitempty"`

	// Calibration turns a score into the probability of a like, for images
	// chosen as those that were rated.
	Calibration judge.Calibration `json:"calibration"`

	// Threshold is the probability from which on an image counts as liked.
	// Train sets it by the rule Config.Threshold; by default to the
	// probability at score 0, the boundary of the class-weighted model: with
	// balanced classes that is where a like is about as probable as the share
	// of likes among the ratings, where balanced accuracy is best.
	Threshold float64 `json:"threshold"`

	// Likes and Dislikes are what it was trained on.
	Likes    int      `json:"likes"`
	Dislikes int      `json:"dislikes"`
	Settings Settings `json:"settings"`

	// TrainedAt is set by the caller, if at all.
	TrainedAt time.Time `json:"trained_at,omitzero"`
}

// Settings say how a probe was fitted.
type Settings struct {
	Kind string `json:"kind"`
	// Asked is the kind that was asked for: Kind, or "auto". Versions before
	// did not say.
	Asked         string  `json:"asked,omitempty"`
	Strength      float64 `json:"strength"` // C
	Iterations    int     `json:"iterations"`
	Converged     bool    `json:"converged"`
	LikeWeight    float64 `json:"like_weight"`
	DislikeWeight float64 `json:"dislike_weight"`
	Standardise   bool    `json:"standardise"`
	Folds         int     `json:"folds"`
	Patience      int     `json:"patience"`
	Seed          int64   `json:"seed"`
	// ThresholdRule is kept as "wish", the name that versions before had.
	ThresholdRule judge.ThresholdRule `json:"wish"`
}

func (l *learned) probe(set *collection, model palate.ModelID, config Config) *Probe {
	p := &Probe{
		Model: model, Weights: make([]float32, len(l.weights)), Bias: l.bias, Calibration: l.calibration,
		Threshold: l.threshold.Probability,
		Settings: Settings{
			Kind: l.kind, Asked: config.kind().Name(), Strength: l.strength, Iterations: l.iterations, Converged: l.converged,
			LikeWeight: l.class.Like, DislikeWeight: l.class.Dislike, Standardise: config.Standardise,
			Folds: l.folds, Patience: config.Patience, Seed: config.Seed, ThresholdRule: config.Threshold,
		},
	}
	for i, w := range l.weights {
		p.Weights[i] = float32(w)
	}
	if l.from != nil {
		p.Nearness = newNearness(set, l.from, l.near)
	}
	return p
}

// Linear reports whether the score is Query's inner product and Bias alone.
func (p *Probe) Linear() bool { return p.Nearness == nil }

// Score is the logit w·x + b of an embedding of the probe's model, and the
// nearness where it counts. An embedding of another length is a programmer's
// mistake and panics; see palate.Embedding.Validate.
func (p *Probe) Score(e palate.Embedding) float64 { return p.ScoreOf(palate.ImageID{}, e) }

// ScoreOf is Score of an image that may be one of the probe's neighbours: it
// does not speak for itself, so that a rated picture is scored as any other.
func (p *Probe) ScoreOf(id palate.ImageID, e palate.Embedding) float64 {
	score := p.linear(e)
	if p.Nearness != nil {
		score += p.Nearness.score(id, e)
	}
	return score
}

func (p *Probe) linear(e palate.Embedding) float64 {
	if len(e) != len(p.Weights) {
		panic("probe: Score of an embedding of another length")
	}
	var sum float64
	for i, w := range p.Weights {
		sum += float64(w) * float64(e[i])
	}
	return sum + p.Bias
}

// Probability is the calibrated probability of a like at a score. It grows
// with the score.
func (p *Probe) Probability(score float64) float64 { return p.Calibration.Probability(score) }

// LogitAt is the score at which Probability is the given one; -Inf at 0 and
// +Inf at 1.
func (p *Probe) LogitAt(probability float64) float64 { return p.Calibration.Logit(probability) }

// Liked reports whether an image of that score counts as liked.
func (p *Probe) Liked(score float64) bool { return p.Probability(score) >= p.Threshold }

// Query is the vector to search an index with: its inner product with a
// stored embedding is the embedding's score less Bias, if the probe is Linear.
// The caller owns it.
func (p *Probe) Query() palate.Embedding { return slices.Clone(p.Weights) }
