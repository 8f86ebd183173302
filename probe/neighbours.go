package probe

import (
	"cmp"
	"context"
	"slices"

	"github.com/palate-art/palate/probe/judge"
)

// prior is the kind that knows how many are liked and nothing else.
type prior struct{}

func (prior) Name() string                              { return "prior" }
func (prior) Linear() bool                              { return false }
func (prior) Serves() bool                              { return false }
func (prior) features(e []Example) ([][]float32, error) { return embeddings(e) }

func (prior) learn(_ context.Context, _ *learner, numbers, _ []int, _ int) (*learned, []float64, error) {
	// All logits alike: the calibration turns them into the share of likes.
	return &learned{score: func(int) float64 { return 0 }, converged: true}, make([]float64, len(numbers)), nil
}

// votes are the candidates for the number of neighbours.
var votes = []int{1, 3, 5, 9, 17, 33}

// neighbours is the kind that lets the nearest examples vote by inner product,
// each class with its weight. It stays a baseline: KNN is what serves.
type neighbours struct{}

func (neighbours) Name() string                              { return "nearest neighbours" }
func (neighbours) Linear() bool                              { return false }
func (neighbours) Serves() bool                              { return false }
func (neighbours) features(e []Example) ([][]float32, error) { return embeddings(e) }

// learn takes the number of neighbours with the best AUC over the parts, of
// equals the larger one.
func (neighbours) learn(ctx context.Context, l *learner, numbers, part []int, parts int) (*learned, []float64, error) {
	byVotes := make([][]float64, len(votes))
	for v := range byVotes {
		byVotes[v] = make([]float64, len(numbers))
	}
	err := l.parallel(ctx, parts, func(ctx context.Context, fold int) error {
		train, _ := l.sides(numbers, part, fold)
		for i, number := range numbers {
			if part[i] != fold {
				continue
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			for v, score := range poll(train, l.rows[number], votes) {
				byVotes[v][i] = score
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	liked := make([]bool, len(numbers))
	for i, number := range numbers {
		liked[i] = l.collection.examples[number].Liked
	}
	best, bestAUC := 0, 0.
	for v, scores := range byVotes {
		if auc, _, _ := judge.AUCWithin(scores, liked, part); auc >= bestAUC {
			best, bestAUC = v, auc
		}
	}
	all := l.collection.samples(l.rows, numbers, l.collection.resolve(numbers, l.config.ClassWeights))
	return &learned{
		score:     func(number int) float64 { return poll(all, l.rows[number], votes[best:best+1])[0] },
		converged: true,
	}, byVotes[best], nil
}

// poll gives the vote of the nearest rows for each number of them: the share
// of the weight of likes less that of dislikes, with the similarity as a
// weight of its own so that few votes are no ties.
func poll(s Samples, row []float32, numbers []int) []float64 {
	type neighbour struct {
		near float64
		i    int
	}
	asked := make([]float64, len(row))
	for j, x := range row {
		asked[j] = float64(x)
	}
	nearest := make([]neighbour, len(s.Rows))
	for i, other := range s.Rows {
		nearest[i] = neighbour{dot(asked, other), i}
	}
	slices.SortFunc(nearest, func(a, b neighbour) int { return cmp.Or(cmp.Compare(b.near, a.near), cmp.Compare(a.i, b.i)) })
	out := make([]float64, len(numbers))
	for v, number := range numbers {
		var balance, total float64
		for _, n := range nearest[:min(number, len(nearest))] {
			weight := s.weight(n.i) * max(1e-3, 1+n.near)
			total += weight
			if s.Liked[n.i] {
				balance += weight
			} else {
				balance -= weight
			}
		}
		out[v] = balance / total
	}
	return out
}
