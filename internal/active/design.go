package active

import (
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/simd"
	"github.com/palate-art/palate/probe"
)

// design is what is not known of the scores of some pictures: the posterior
// covariance of a logistic regression whose weights have a Gaussian prior of
// variance C, in its Laplace approximation. As a Gaussian process with the
// kernel C·x·y that is the covariance of the pictures given all ratings at
// once (Rasmussen and Williams, Gaussian processes for machine learning, 2006,
// algorithm 2.1), a rating at x having the noise 1/(p(1−p)). Of a further
// rating it is
//
//	cov(i,j) −= cov(i,x)·cov(x,j) / (cov(x,x) + 1/(p(1−p))).
//
// Rows are taken from their mean, as in training.
type design struct {
	pictures   []Picture
	covariance [][]float64 // of the pictures
	noise      []float64   // of a rating of each
	weight     []float64   // how much the score of each matters
}

// coldPrior is C before there is a probe.
const coldPrior = 10

// newDesign takes account of what was judged. Without a probe every picture is
// as likely liked as not.
func newDesign(p *probe.Probe, pictures []Picture, judged []Judged) *design {
	prior := float64(coldPrior)
	if p != nil && p.Settings.Strength > 0 {
		prior = p.Settings.Strength
	}
	all := make([]palate.Embedding, 0, len(pictures)+len(judged))
	for _, picture := range pictures {
		all = append(all, picture.Embedding)
	}
	for _, j := range judged {
		all = append(all, j.Embedding)
	}
	d := &design{pictures: pictures}
	for _, e := range all {
		curvature := .25
		if p != nil {
			q := 1 / (1 + math.Exp(-p.Score(e)))
			curvature = max(q*(1-q), leastCurvature)
		}
		d.noise = append(d.noise, 1/curvature)
		// A probability varies by p(1−p) times as much as its score.
		d.weight = append(d.weight, curvature*curvature)
	}
	kernel := kernelOf(all, prior)
	d.condition(kernel, len(pictures))
	return d
}

// leastCurvature keeps a sure probability from telling nothing at all.
const leastCurvature = 1e-3

// kernelOf gives the products of all pairs of rows, taken from their mean and
// times the prior: row i has those with rows 0 to i.
func kernelOf(all []palate.Embedding, prior float64) [][]float64 {
	if len(all) == 0 {
		return nil
	}
	dim := len(all[0])
	rows := centred(all)
	numbers := make([]int32, len(all))
	kernel := make([][]float64, len(all))
	dots := simd.Best()
	for i := range kernel {
		numbers[i] = int32(i)
		kernel[i] = make([]float64, i+1)
		row := rows[i*dim : (i+1)*dim]
		if zero(row) {
			continue // no query; all of its products are 0
		}
		dots.Dots(rows, dim, numbers[:i+1], simd.NewQuery(row), kernel[i])
		for j := range kernel[i] {
			kernel[i][j] *= prior
		}
	}
	return kernel
}

// centred puts rows less their mean one after another.
func centred(all []palate.Embedding) []float32 {
	dim := len(all[0])
	mean := make([]float64, dim)
	for _, e := range all {
		for j, v := range e {
			mean[j] += float64(v) / float64(len(all))
		}
	}
	out := make([]float32, 0, len(all)*dim)
	for _, e := range all {
		for j, v := range e {
			out = append(out, v-float32(mean[j]))
		}
	}
	return out
}

func zero(row []float32) bool {
	for _, v := range row {
		if v != 0 {
			return false
		}
	}
	return true
}

// condition sets the covariance of the first n rows of the kernel given
// ratings of the others.
func (d *design) condition(kernel [][]float64, n int) {
	// The ratings' own covariance with their noise is L·Lᵀ; each row of told is
	// L⁻¹ times the covariance of a picture with the ratings.
	factor := make([][]float64, len(kernel)-n)
	for i := range factor {
		row := kernel[n+i][n:]
		row[i] += d.noise[n+i]
		solve(factor[:i], row)
		row[i] = math.Sqrt(row[i] - dot(row[:i], row[:i]))
		factor[i] = row
	}
	d.covariance = make([][]float64, n)
	told := make([][]float64, n)
	for i := range n {
		told[i] = make([]float64, len(factor))
		for j := range factor {
			told[i][j] = kernel[n+j][i]
		}
		solve(factor, told[i])
		d.covariance[i] = make([]float64, n)
		for j := range i + 1 {
			d.covariance[i][j] = kernel[i][j] - dot(told[i], told[j])
			d.covariance[j][i] = d.covariance[i][j]
		}
	}
}

// solve replaces the first values of b by the solution of L·x = b.
func solve(factor [][]float64, b []float64) {
	for i, row := range factor {
		b[i] = (b[i] - dot(row[:i], b[:i])) / row[i]
	}
}

func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	j := 0
	for ; j+4 <= len(a); j += 4 {
		s0 += a[j] * b[j]
		s1 += a[j+1] * b[j+1]
		s2 += a[j+2] * b[j+2]
		s3 += a[j+3] * b[j+3]
	}
	for ; j < len(a); j++ {
		s0 += a[j] * b[j]
	}
	return s0 + s1 + (s2 + s3)
}

// observe takes account of a rating of picture x, whatever it says.
func (d *design) observe(x int) {
	row := append([]float64(nil), d.covariance[x]...)
	total := row[x] + d.noise[x]
	for i, v := range row {
		share := v / total
		if share == 0 {
			continue
		}
		other := d.covariance[i]
		for j, w := range row {
			other[j] -= share * w
		}
	}
}

// told is by how much a rating of picture x would lower the expected squared
// error of the probabilities of all pictures together.
func (d *design) told(x int) (sum float64) {
	row := d.covariance[x]
	for j := range d.pictures {
		sum += d.weight[j] * row[j] * row[j]
	}
	return sum / (row[x] + d.noise[x])
}
