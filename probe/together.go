package probe

import (
	"github.com/palate-art/palate"
)

// scoredTogether is how many embeddings are measured against all neighbours in
// one pass: each neighbour is read once for all of them.
const scoredTogether = 16

// ScoresOf is ScoreOf of many images, to the same bits, in a fraction of the
// time where the probe goes by neighbours. The two slices have one length.
func (p *Probe) ScoresOf(ids []palate.ImageID, embeddings []palate.Embedding) []float64 {
	scores := make([]float64, len(embeddings))
	for i, e := range embeddings {
		scores[i] = p.linear(e)
	}
	if p.Nearness == nil {
		return scores
	}
	like, dislike := make([]int, len(ids)), make([]int, len(ids))
	for i, id := range ids {
		like[i], dislike[i] = p.Nearness.places(id)
	}
	for i, near := range p.Nearness.hood.Scores(embeddings, like, dislike) {
		scores[i] += p.Nearness.Scale * near
	}
	return scores
}

// Scores is Score of many embeddings with their places, to the same bits. The
// three slices have one length.
func (n *Neighbourhood) Scores(embeddings []palate.Embedding, like, dislike []int) []float64 {
	scores := make([]float64, len(embeddings))
	if n.likes.count() == 0 {
		n.dislikes.nearnesses(embeddings, dislike, func(i int, near float64) { scores[i] = -near })
		return scores
	}
	n.likes.nearnesses(embeddings, like, func(i int, near float64) { scores[i] = near })
	if n.CountsDislikes() {
		n.dislikes.nearnesses(embeddings, dislike, func(i int, near float64) { scores[i] -= near })
	}
	return scores
}

// nearnesses tells the nearness of many embeddings. Which rows may be among
// the nearest is found in float32, and those are measured as by nearness.
func (s *sideOf) nearnesses(embeddings []palate.Embedding, without []int, told func(i int, near float64)) {
	if len(s.rows) == 0 {
		for i := range embeddings {
			told(i, 0)
		}
		return
	}
	rough := make([][]float32, min(scoredTogether, len(embeddings)))
	for a := range rough {
		rough[a] = make([]float32, len(s.rows)+3)
	}
	for from := 0; from < len(embeddings); from += scoredTogether {
		some := embeddings[from:min(from+scoredTogether, len(embeddings))]
		s.measureRoughly(some, rough)
		for a, e := range some {
			kept := s.nearestAmong(e, rough[a], without[from+a])
			told(from+a, kept.mean())
		}
	}
}

// measureRoughly fills the products of some embeddings with all rows.
func (s *sideOf) measureRoughly(some []palate.Embedding, rough [][]float32) {
	var out [8]float32
	last := len(s.rows) - 1
	for i := 0; i <= last; i += 4 {
		w, x, y, z := s.rows[i], s.rows[min(i+1, last)], s.rows[min(i+2, last)], s.rows[min(i+3, last)]
		for a := 0; a < len(some); a += 2 {
			b := min(a+1, len(some)-1)
			products8(some[a], some[b], w, x, y, z, &out)
			copy(rough[a][i:i+4], out[:4])
			copy(rough[b][i:i+4], out[4:])
		}
	}
}

// nearestAmong is nearest where the products are roughly known.
func (s *sideOf) nearestAmong(e palate.Embedding, rough []float32, without int) nearest {
	rough = rough[:len(s.rows)]
	guess := newNearest(s.count())
	counts := func(i int) bool { return s.works[i] != without || s.count() == 1 }
	for i, product := range rough {
		if (guess.n < guess.max || float64(product) > guess.values[0]) && counts(i) {
			guess.addWork(float64(product), i, s.works)
		}
	}
	// A product of float32 of norm 1, added up in float32, is wrong by less
	// than half of this (Higham, Accuracy and stability of numerical
	// algorithms, 2002, section 3.1).
	least := guess.values[0] - 2*float64(len(e)+8)/(1<<23)
	kept := newNearest(s.count())
	asked := widen(e)
	var some [4]int
	n := 0
	flush := func() {
		if n == 0 {
			return
		}
		row := func(k int) []float32 { return s.rows[some[min(k, n-1)]] }
		var products [4]float64
		products[0], products[1], products[2], products[3] = dot4(asked, row(0), row(1), row(2), row(3))
		for k := range n {
			kept.addWork(products[k], some[k], s.works)
		}
		n = 0
	}
	for i, product := range rough {
		if float64(product) >= least && counts(i) {
			some[n] = i
			if n++; n == len(some) {
				flush()
			}
		}
	}
	flush()
	return kept
}
