package active

import (
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
)

// design is what is not known of the scores of some pictures: the posterior
// covariance of a logistic regression whose weights have a Gaussian prior of
// variance C, in its Laplace approximation. As a Gaussian process with the
// kernel C·x·y that is a matrix, from which each rating takes what it tells of
// every other picture: for a rating at x of noise 1/(p(1−p)),
//
//	cov(i,j) −= cov(i,x)·cov(x,j) / (cov(x,x) + 1/(p(1−p))).
//
// Rows are taken from their mean, as in training.
type design struct {
	pictures   []Picture
	covariance [][]float64 // of the pictures, then of what was judged
	noise      []float64   // of a rating of each
	weight     []float64   // how much the score of each picture matters
}

// coldPrior is C before there is a probe.
const coldPrior = 10

// newDesign takes account of what was judged. Without a probe every picture is
// as likely liked as not.
func newDesign(p *probe.Probe, pictures []Picture, judged []Judged) *design {
	d := &design{pictures: pictures}
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
	centred := centre(all)
	d.covariance = make([][]float64, len(all))
	for i := range d.covariance {
		d.covariance[i] = make([]float64, len(all))
		for j := range i + 1 {
			d.covariance[i][j] = prior * product(centred[i], centred[j])
			d.covariance[j][i] = d.covariance[i][j]
		}
	}
	for i := range judged {
		d.observe(len(pictures) + i)
	}
	return d
}

// leastCurvature keeps a sure probability from telling nothing at all.
const leastCurvature = 1e-3

func centre(all []palate.Embedding) []palate.Embedding {
	if len(all) == 0 {
		return nil
	}
	mean := make([]float64, len(all[0]))
	for _, e := range all {
		for j, v := range e {
			mean[j] += float64(v) / float64(len(all))
		}
	}
	out := make([]palate.Embedding, len(all))
	for i, e := range all {
		out[i] = make(palate.Embedding, len(e))
		for j, v := range e {
			out[i][j] = v - float32(mean[j])
		}
	}
	return out
}

// observe takes account of a rating at x, whatever it says.
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
