package main

import (
	"math"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
)

// gaussian is a Gaussian process over some pictures, given what was said: the
// cheap model that expected error reduction needs, for it asks what would be
// thought after each possible answer.
type gaussian struct {
	pictures   []int
	mean       []float64
	covariance [][]float64
}

const answerNoise = .3 // variance of an answer, which is 1 or -1

func (s *state) gaussian(among []int) *gaussian {
	all := append(slices.Clone(s.asked), among...)
	var typical []float64
	for k := range 200 {
		typical = append(typical, float64(s.distances[all[k*7919%len(all)]][all[k*104729%len(all)]]))
	}
	slices.Sort(typical)
	width := typical[len(typical)/2] / 2
	kernel := make([][]float64, len(all))
	for i, a := range all {
		kernel[i] = make([]float64, len(all))
		for j, b := range all {
			kernel[i][j] = math.Exp(-float64(s.distances[a][b]) / width)
		}
	}
	prior := 0.
	for _, liked := range s.liked {
		if liked {
			prior++
		}
	}
	prior = 2*(prior+1)/float64(len(s.liked)+2) - 1
	means := make([]float64, len(all))
	for k, liked := range s.liked { // one answer after another
		answer := -1.
		if liked {
			answer = 1
		}
		surprise := answer - prior - means[k]
		row := slices.Clone(kernel[k])
		total := row[k] + answerNoise
		for i := range kernel {
			means[i] += row[i] / total * surprise
			share := row[i] / total
			for j := range kernel[i] {
				kernel[i][j] -= share * row[j]
			}
		}
	}
	g := &gaussian{pictures: among}
	n := len(s.asked)
	for i := range among {
		g.mean = append(g.mean, prior+means[n+i])
		g.covariance = append(g.covariance, kernel[n+i][n:])
	}
	return g
}

func chance(mean, variance float64) float64 {
	return .5 * math.Erfc(-mean/math.Sqrt(2*(max(variance, 0)+answerNoise)))
}

// expectedError asks, among a hundred drawn pictures, for those whose answer is
// expected to leave the fewest errors among three hundred (Roy and McCallum,
// Toward optimal active learning through sampling estimation of error
// reduction, ICML 2001).
func expectedError(s *state, n int) []int {
	if len(s.asked) == 0 {
		return s.fill(nil, n)
	}
	g := s.gaussian(s.left[:min(300, len(s.left))])
	var out []int
	for range n {
		best, least := -1, math.Inf(1)
		for x := range min(100, len(g.pictures)) {
			if slices.Contains(out, g.pictures[x]) {
				continue
			}
			p := chance(g.mean[x], g.covariance[x][x])
			if e := p*g.errorAfter(x, 1) + (1-p)*g.errorAfter(x, -1); e < least {
				best, least = x, e
			}
		}
		out = append(out, g.pictures[best])
		g.observe(best)
	}
	return out
}

func (g *gaussian) errorAfter(x int, answer float64) (sum float64) {
	row := g.covariance[x]
	total := row[x] + answerNoise
	for i, c := range row {
		mean := g.mean[i] + c/total*(answer-g.mean[x])
		p := chance(mean, g.covariance[i][i]-c*c/total)
		sum += min(p, 1-p)
	}
	return sum
}

// observe narrows what is not known, whatever the answer will be.
func (g *gaussian) observe(x int) {
	row := slices.Clone(g.covariance[x])
	total := row[x] + answerNoise
	for i := range g.covariance {
		for j := range row {
			g.covariance[i][j] -= row[i] * row[j] / total
		}
	}
}

// committee asks for what eight tastes, each learned from a draw of the
// ratings with replacement, disagree about most: by how much their order of
// the pictures varies.
func committee(s *state, n int) []int {
	if s.learned == nil {
		return s.fill(nil, n)
	}
	votes := make(map[int][]float64, len(s.left))
	for range 8 {
		var likes, dislikes []palate.Embedding
		for range s.asked {
			k := s.random.IntN(len(s.asked))
			if s.liked[k] {
				likes = append(likes, s.rows[s.asked[k]])
			} else {
				dislikes = append(dislikes, s.rows[s.asked[k]])
			}
		}
		if len(likes) == 0 || len(dislikes) == 0 {
			continue
		}
		member, err := probe.NewNeighbourhood(likes, dislikes)
		if err != nil {
			continue
		}
		sorted := s.by(nil, len(s.left), func(i int) float64 { return member.Score(s.rows[i], -1, -1) })
		for rank, i := range sorted {
			votes[i] = append(votes[i], float64(rank))
		}
	}
	return s.by(nil, n, func(i int) float64 {
		var mean, square float64
		for _, v := range votes[i] {
			mean += v / float64(len(votes[i]))
		}
		for _, v := range votes[i] {
			square += (v - mean) * (v - mean)
		}
		return -square
	})
}
