package baseline_test

import "math"

// The descriptor once more, straight from its description in words and in
// float64, without the graph, its helpers or its constants.

type plane struct {
	side int
	at   []float64
}

func reference(pixels []float32) []float64 {
	const side = 192
	lab := toLab(pixels, side)
	out := colourParts(lab, side)
	out = append(out, textureParts(lab[:1], 0, true)...)
	out = append(out, textureParts(lab[1:], 1, false)...)
	var sum float64
	for _, v := range out {
		sum += v * v
	}
	for i := range out {
		out[i] /= math.Sqrt(sum)
	}
	return out
}

func toLab(pixels []float32, side int) []plane {
	n := side * side
	lab := []plane{{side, make([]float64, n)}, {side, make([]float64, n)}, {side, make([]float64, n)}}
	for i := range n {
		var rgb [3]float64
		for c := range rgb {
			v := float64(pixels[c*n+i])
			if v <= 0.04045 {
				rgb[c] = v / 12.92
			} else {
				rgb[c] = math.Pow((v+0.055)/1.055, 2.4)
			}
		}
		f := func(r, g, b, white float64) float64 {
			t := (r*rgb[0] + g*rgb[1] + b*rgb[2]) / white
			if t > 216.0/24389 {
				return math.Cbrt(t)
			}
			return (24389.0/27*t + 16) / 116
		}
		x, y, z := f(0.4124, 0.3576, 0.1805, 0.9505), f(0.2126, 0.7152, 0.0722, 1), f(0.0193, 0.1192, 0.9505, 1.0890)
		lab[0].at[i], lab[1].at[i], lab[2].at[i] = (116*y-16)/100, 500*(x-y)/100, 200*(y-z)/100
	}
	return lab
}

// share is how much v belongs to each of evenly spaced bins.
func share(v float64, bins ...float64) []float64 {
	v = min(max(v, bins[0]), bins[len(bins)-1])
	out := make([]float64, len(bins))
	for i, b := range bins {
		out[i] = max(0, 1-math.Abs(v-b)/(bins[1]-bins[0]))
	}
	return out
}

func colourParts(lab []plane, side int) []float64 {
	var joint [5][5][5]float64
	var marginal [15][2][2]float64
	pixels := float64(side * side)
	for y := range side {
		for x := range side {
			i := y*side + x
			l := share(lab[0].at[i], 0.08, 0.29, 0.5, 0.71, 0.92)
			a := share(lab[1].at[i], -0.6, -0.3, 0, 0.3, 0.6)
			b := share(lab[2].at[i], -0.6, -0.3, 0, 0.3, 0.6)
			for p := range 5 {
				for q := range 5 {
					for r := range 5 {
						joint[p][q][r] += l[p] * a[q] * b[r] / pixels
					}
				}
				marginal[p][y*2/side][x*2/side] += l[p] / pixels * 4
				marginal[5+p][y*2/side][x*2/side] += a[p] / pixels * 4
				marginal[10+p][y*2/side][x*2/side] += b[p] / pixels * 4
			}
		}
	}
	var out []float64
	var entropy float64
	for p := range joint {
		for q := range joint[p] {
			for _, v := range joint[p][q] {
				out = append(out, 0.5*(math.Sqrt(v+1e-6)-0.05))
				entropy -= v * math.Log(v+1e-4)
			}
		}
	}
	for _, cells := range marginal {
		for _, row := range cells {
			for _, v := range row {
				out = append(out, 0.5/math.Sqrt(12)*(math.Sqrt(v+1e-6)-0.4))
			}
		}
	}
	return append(out, 0.5*(entropy-2.5))
}

func half(p plane) plane {
	h := plane{p.side / 2, make([]float64, p.side*p.side/4)}
	for y := range h.side {
		for x := range h.side {
			i := 2*y*p.side + 2*x
			h.at[y*h.side+x] = (p.at[i] + p.at[i+1] + p.at[i+p.side] + p.at[i+p.side+1]) / 4
		}
	}
	return h
}

func mirrored(i, side int) int {
	if i < 0 {
		return -i
	}
	if i >= side {
		return 2*(side-1) - i
	}
	return i
}

// amplitudes gives the Gabor amplitudes of eight orientations, over all
// planes together.
func amplitudes(planes []plane) [8]plane {
	const radius, sigma, wavelength = 5, 2, 4
	side := planes[0].side
	var envelope, total = [121]float64{}, 0.0
	for i := range envelope {
		x, y := float64(i%11-radius), float64(i/11-radius)
		envelope[i] = math.Exp(-(x*x + y*y) / (2 * sigma * sigma))
		total += envelope[i]
	}
	var out [8]plane
	for o := range out {
		angle := math.Pi * float64(o) / 8
		var even, odd [121]float64
		var mean float64
		for i, e := range envelope {
			x, y := float64(i%11-radius), float64(i/11-radius)
			sin, cos := math.Sincos(2 * math.Pi / wavelength * (x*math.Cos(angle) + y*math.Sin(angle)))
			even[i], odd[i] = 2*e*cos/total, 2*e*sin/total
			mean += even[i]
		}
		for i, e := range envelope {
			even[i] -= mean * e / total
		}
		out[o] = plane{side, make([]float64, side*side)}
		for y := range side {
			for x := range side {
				energy := 1e-6
				for _, p := range planes {
					var re, im float64
					for i := range even {
						v := p.at[mirrored(y+i/11-radius, side)*side+mirrored(x+i%11-radius, side)]
						re += v * even[i]
						im += v * odd[i]
					}
					energy += re*re + im*im
				}
				out[o].at[y*side+x] = math.Sqrt(energy)
			}
		}
	}
	return out
}

// cellMeans averages over a grid of n × n cells.
func cellMeans(p plane, n int) []float64 {
	means := make([]float64, n*n)
	for i, v := range p.at {
		means[i/p.side*n/p.side*n+i%p.side*n/p.side] += v * float64(n*n) / float64(len(p.at))
	}
	return means
}

func textureParts(planes []plane, finest int, arranged bool) []float64 {
	octavesSeen, weightOf := 4-finest, func(weight float64, each int) float64 {
		return weight / math.Sqrt(float64(7*each)) // seven octaves in both sets
	}
	if arranged && octavesSeen != 4 {
		panic("the weights below are for four arranged octaves")
	}
	var out []float64
	for octave := range 4 {
		if octave > 0 {
			smaller := make([]plane, len(planes))
			for i, p := range planes {
				smaller[i] = half(p)
			}
			planes = smaller
		}
		if octave < finest {
			continue
		}
		amps := amplitudes(planes)
		var strength [8]float64
		var level, sparsity, spread float64
		for o, a := range amps {
			var square float64
			for _, v := range a.at {
				square += v * v / float64(len(a.at))
			}
			strength[o] = math.Log(cellMeans(a, 1)[0] + 0.005)
			level += strength[o] / 8
			sparsity += (math.Log(math.Sqrt(square)+0.005) - strength[o]) / 8
			var sum, squares float64
			for _, v := range cellMeans(a, 4) {
				l := math.Log(v + 0.005)
				sum, squares = sum+l/16, squares+l*l/16
			}
			spread += math.Sqrt(squares-sum*sum+1e-6) / 8
		}
		out = append(out, weightOf(1.5, 1)*(level+3.5), weightOf(2, 1)*(sparsity-0.5), weightOf(2.5, 1)*(spread-0.4))
		for k := 1; k <= 4; k++ {
			var re, im float64
			for o, s := range strength {
				sin, cos := math.Sincos(2 * math.Pi * float64(k*o) / 8)
				re, im = re+(s-level)*cos/4, im+(s-level)*sin/4
			}
			out = append(out, weightOf(3, 4)*(math.Sqrt(re*re+im*im+1e-6)-0.3))
		}
		for _, s := range strength {
			out = append(out, weightOf(1.5, 8)*(s-level))
		}
		out = append(out, responses(amps)...)
		if arranged {
			for o, a := range amps {
				for _, v := range cellMeans(a, 2) {
					out = append(out, 1/math.Sqrt(4*32)*(math.Log(v+0.005)-strength[o]))
				}
			}
		}
	}
	return out
}

func responses(amps [8]plane) []float64 {
	var histogram [5][3]float64
	for i := range amps[0].at {
		mean, largest := 0.005, 0.0
		for _, a := range amps {
			mean += a.at[i] / 8
			largest = max(largest, a.at[i])
		}
		for p, s := range share(math.Log(mean), -5, -4, -3, -2, -1) {
			for q, d := range share(largest/mean, 1.2, 2, 2.8) {
				histogram[p][q] += s * d / float64(len(amps[0].at))
			}
		}
	}
	var out []float64
	for _, row := range histogram {
		for _, v := range row {
			out = append(out, 3/math.Sqrt(7)*(math.Sqrt(v+1e-6)-0.2))
		}
	}
	return out
}
