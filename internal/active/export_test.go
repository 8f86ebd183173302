package active

import "github.com/palate-art/palate/probe"

// Told gives the tests what each rating would tell.
func Told(p *probe.Probe, pictures []Picture, judged []Judged) []float64 {
	d := newDesign(p, pictures, judged)
	out := make([]float64, len(pictures))
	for i := range out {
		out[i] = d.told(i)
	}
	return out
}
