package main

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/active"
)

// way chooses n of the pictures left.
type way func(s *state, n int) []int

var ways = map[string]way{
	"random":                      func(s *state, n int) []int { return slices.Clone(s.left[:n]) },
	"variance reduction":          variance,
	"queue":                       queue(active.DefaultConfig()),
	"best":                        func(s *state, n int) []int { return s.best(nil, n) },
	"best and random":             func(s *state, n int) []int { return s.fill(s.best(nil, n/2), n) },
	"uncertain":                   func(s *state, n int) []int { return s.uncertain(nil, n) },
	"spread uncertain":            func(s *state, n int) []int { return s.spread(n) },
	"typical 20 then uncertain":   after(20, typical, func(s *state, n int) []int { return s.uncertain(nil, n) }),
	"covering":                    covering(0, even),
	"covering uncertain":          covering(0, doubtful),
	"covering likely":             covering(0, likely),
	"covering uncertain and best": covering(.3, doubtful),
	"likely 50 then doubtful":     after(50, covering(0, likely), covering(0, doubtful)),
	"expected error":              expectedError,
	"committee":                   committee,
}

func wayNames() []string {
	names := slices.Sorted(maps.Keys(ways))
	// The yardstick comes first.
	return append([]string{"random"}, slices.DeleteFunc(names, func(n string) bool { return n == "random" })...)
}

// after asks in one way up to so many ratings and then in another.
func after(ratings int, first, then way) way {
	return func(s *state, n int) []int {
		if len(s.asked) < ratings {
			return first(s, n)
		}
		return then(s, n)
	}
}

// by gives n pictures, those of the taken first and then those of the lowest values.
func (s *state) by(taken []int, n int, value func(i int) float64) []int {
	values := make(map[int]float64, len(s.left))
	for _, i := range s.left {
		values[i] = value(i)
	}
	sorted := slices.Clone(s.left)
	slices.SortStableFunc(sorted, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	for _, i := range sorted {
		if len(taken) < n && !slices.Contains(taken, i) {
			taken = append(taken, i)
		}
	}
	return taken
}

func (s *state) fill(taken []int, n int) []int { return s.by(taken, n, func(int) float64 { return 0 }) }

func (s *state) best(taken []int, n int) []int {
	if s.taste == nil {
		return s.fill(taken, n)
	}
	return s.by(taken, n, func(i int) float64 { return -s.taste.Score(s.rows[i]) })
}

// uncertain are nearest to where likes and dislikes are level.
func (s *state) uncertain(taken []int, n int) []int {
	if s.learned == nil {
		return s.fill(taken, n)
	}
	return s.by(taken, n, func(i int) float64 { return math.Abs(s.learned.Score(s.rows[i])) })
}

// spread are, one after another, the farthest from all that were asked, among
// the most uncertain.
func (s *state) spread(n int) []int {
	among := s.uncertain(nil, min(60, len(s.left)))
	if s.learned == nil {
		among = s.left
	}
	var out []int
	for range n {
		farthest, most := -1, float32(-1)
		for _, i := range among {
			near := float32(math.Inf(1))
			for _, j := range s.asked {
				near = min(near, s.distances[i][j])
			}
			for _, j := range out {
				near = min(near, s.distances[i][j])
			}
			if near > most && !slices.Contains(out, i) {
				farthest, most = i, near
			}
		}
		out = append(out, farthest)
	}
	return out
}

// What a picture counts for in covering, by its chance to be liked.
func even(float64) float64       { return 1 }
func doubtful(p float64) float64 { return p * (1 - p) }
func likely(p float64) float64   { return p }

// covering asks, one after another, for the pictures that bring all others
// nearest to one that was asked: the greedy way to k medoids, in which a
// picture counts by weight of its chance to be liked, as soon as there is one.
// A share of each batch is the best instead.
func covering(best float64, weight func(p float64) float64) way {
	return func(s *state, n int) []int {
		counts := make([]float64, len(s.left))
		near := make([]float64, len(s.left))
		for k, i := range s.left {
			counts[k], near[k] = 1, 4
			if s.learned != nil {
				counts[k] = weight(1 / (1 + math.Exp(-s.learned.Score(s.rows[i]))))
			}
			for _, j := range s.asked {
				near[k] = min(near[k], float64(s.distances[i][j]))
			}
		}
		var out []int
		if s.taste != nil {
			out = s.best(nil, int(best*float64(n)+.5))
		}
		for _, x := range out {
			s.cover(near, x)
		}
		for len(out) < n {
			most, taken := -1., -1
			for _, x := range s.left {
				if gain := s.gain(counts, near, x); gain > most && !slices.Contains(out, x) {
					most, taken = gain, x
				}
			}
			out = append(out, taken)
			s.cover(near, taken)
		}
		return out
	}
}

func (s *state) gain(counts, near []float64, x int) (sum float64) {
	for k, i := range s.left {
		sum += counts[k] * max(0, near[k]-float64(s.distances[x][i]))
	}
	return sum
}

func (s *state) cover(near []float64, x int) {
	for k, i := range s.left {
		near[k] = min(near[k], float64(s.distances[x][i]))
	}
}

// queue is that of the product, package active.
func queue(config active.Config) way {
	return func(s *state, n int) []int {
		r := active.Request{Probe: s.learned, Random: s.random}
		for _, i := range s.left[:min(len(s.left), config.Candidates)] {
			r.Pool = append(r.Pool, s.picture(i))
		}
		if s.taste != nil {
			for _, i := range s.best(nil, min(100, len(s.left))) {
				r.Top = append(r.Top, s.picture(i))
			}
		}
		for k := len(s.asked) - 1; k >= 0; k-- {
			r.Judged = append(r.Judged, active.Judged{Embedding: s.rows[s.asked[k]], Liked: s.liked[k]})
			if len(r.Recent) < 30 {
				r.Recent = append(r.Recent, s.rows[s.asked[k]])
			}
		}
		at := make(map[palate.ImageID]int)
		for _, i := range s.left {
			at[idOf(i)] = i
		}
		var out []int
		for _, c := range active.Choose(r, n, config) {
			out = append(out, at[c.ID])
		}
		return s.fill(out, n)
	}
}

func (s *state) picture(i int) active.Picture {
	p := active.Picture{ID: idOf(i), Embedding: s.rows[i]}
	if s.learned != nil {
		p.Score = s.learned.Score(s.rows[i])
	}
	return p
}
