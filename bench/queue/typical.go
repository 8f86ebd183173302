package main

import (
	"math"
	"slices"
)

// typical gives the most typical picture of each of the largest clusters in
// which nothing was asked (TypiClust: Hacohen, Dekel and Weinshall, Active
// learning on a budget, ICML 2022): there are as many clusters as pictures
// that were and will be asked, and a picture is the more typical the nearer its
// twenty nearest in the cluster are.
func typical(s *state, n int) []int {
	all := append(slices.Clone(s.asked), s.left...)
	clusters := s.clusters(all, min(len(s.asked)+n, 500))
	var open [][]int
	for _, c := range clusters {
		if !slices.ContainsFunc(c, func(i int) bool { return slices.Contains(s.asked, i) }) {
			open = append(open, c)
		}
	}
	slices.SortStableFunc(open, func(a, b []int) int { return len(b) - len(a) })
	var out []int
	for _, c := range open {
		if len(out) < n {
			out = append(out, s.typicalOf(c))
		}
	}
	return s.fill(out, n)
}

func (s *state) typicalOf(cluster []int) int {
	best, least := cluster[0], math.Inf(1)
	for _, i := range cluster {
		var near []float64
		for _, j := range cluster {
			near = append(near, math.Sqrt(float64(s.distances[i][j])))
		}
		slices.Sort(near)
		near = near[:min(len(near), 21)]
		sum := 0.
		for _, d := range near {
			sum += d / float64(len(near))
		}
		if sum < least {
			best, least = i, sum
		}
	}
	return best
}

// clusters are of k means, begun as k-means++ does.
func (s *state) clusters(all []int, k int) [][]int {
	k = min(k, len(all))
	dim := len(s.rows[0])
	near := make([]float64, len(all))
	for i := range near {
		near[i] = 4
	}
	centres := make([][]float32, 0, k)
	for at := s.random.IntN(len(all)); len(centres) < k; {
		centres = append(centres, slices.Clone(s.rows[all[at]]))
		total := 0.
		for i, j := range all {
			near[i] = min(near[i], float64(s.distances[all[at]][j]))
			total += near[i]
		}
		draw := s.random.Float64() * total
		at = 0
		for ; at+1 < len(all) && draw > near[at]; at++ {
			draw -= near[at]
		}
	}
	var out [][]int
	for range 8 {
		out = make([][]int, k)
		for _, i := range all {
			best, most := 0, float32(math.Inf(-1))
			for c, centre := range centres {
				var product, square float32
				for j, v := range s.rows[i] {
					product += v * centre[j]
					square += centre[j] * centre[j]
				}
				if near := 2*product - square; near > most {
					best, most = c, near
				}
			}
			out[best] = append(out[best], i)
		}
		for c, members := range out {
			if len(members) == 0 {
				continue
			}
			clear(centres[c])
			for _, i := range members {
				for j := range dim {
					centres[c][j] += s.rows[i][j] / float32(len(members))
				}
			}
		}
	}
	return slices.DeleteFunc(out, func(c []int) bool { return len(c) == 0 })
}
