package judge

import (
	"math"
	"slices"
)

// Spearman is the rank correlation ρ of two lists of one length: the
// correlation of their ranks, where equal values have the mean of the ranks
// that they share (Spearman, The proof and measurement of association between
// two things, 1904). Fewer than 2 values, values that are no finite numbers
// and a list of one value throughout, for which ρ is not defined, are
// palate.ErrInvalid.
func Spearman(a, b []float64) (float64, error) {
	if len(a) != len(b) || len(a) < 2 {
		return 0, invalid("%d and %d values to correlate, want as many of both and 2 or more", len(a), len(b))
	}
	for _, values := range [][]float64{a, b} {
		for i, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, invalid("value %d to correlate is %v", i, v)
			}
		}
		if slices.Min(values) == slices.Max(values) {
			return 0, invalid("all %d values are %v, which has no order", len(values), values[0])
		}
	}
	x, y := ranks(a), ranks(b)
	mean := float64(len(a)+1) / 2
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mean) * (y[i] - mean)
		xx += (x[i] - mean) * (x[i] - mean)
		yy += (y[i] - mean) * (y[i] - mean)
	}
	return max(-1, min(1, xy/math.Sqrt(xx*yy))), nil
}

// ranks are from 1 on; equal values share the mean of theirs.
func ranks(values []float64) []float64 {
	order := byScore(values)
	out := make([]float64, len(values))
	for at := 0; at < len(order); {
		end := at
		for end < len(order) && values[order[end]] == values[order[at]] {
			end++
		}
		for _, i := range order[at:end] {
			out[i] = float64(at+1+end) / 2
		}
		at = end
	}
	return out
}

// SpearmanInterval is Spearman with its 95 % interval for pairs drawn
// independently, by Fisher's transformation with the standard error
// √((1+ρ²/2)/(n-3)) of Bonett and Wright (Sample size requirements for
// estimating Pearson, Kendall and Spearman correlations, 2000). It has no
// resamples, so it costs nothing and is the same each time. Fewer than 4
// pairs are palate.ErrInvalid.
func SpearmanInterval(a, b []float64) (rho, low, high float64, err error) {
	if rho, err = Spearman(a, b); err != nil {
		return 0, 0, 0, err
	}
	if len(a) < 4 {
		return 0, 0, 0, invalid("%d pairs, want 4 or more for an interval", len(a))
	}
	z := math.Atanh(max(-.999999, min(.999999, rho)))
	half := studentQuantiles(0) * math.Sqrt((1+rho*rho/2)/float64(len(a)-3))
	return rho, min(rho, math.Tanh(z-half)), max(rho, math.Tanh(z+half)), nil
}

// MeanInterval is the mean of values with its 95 % interval for values drawn
// independently, by Student's distribution: raters are few, so that
// percentiles of resamples would be too narrow. Fewer than 2 values are
// palate.ErrInvalid.
func MeanInterval(values []float64) (mean, low, high float64, err error) {
	if len(values) < 2 {
		return 0, 0, 0, invalid("%d values, want 2 or more for an interval", len(values))
	}
	n := float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	var squares float64
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	half := studentQuantiles(len(values)-1) * math.Sqrt(squares/(n-1)/n)
	return mean, mean - half, mean + half, nil
}

// studentQuantiles is the .975 quantile of Student's distribution with so many
// degrees of freedom, of the normal one for 0. From 3 on it is the expansion
// 26.7.5 of Abramowitz and Stegun, off by less than .004.
func studentQuantiles(freedom int) float64 {
	const z = 1.959963984540054
	switch freedom {
	case 0:
		return z
	case 1:
		return 12.7062047
	case 2:
		return 4.3026527
	}
	const z2 = z * z
	n := float64(freedom)
	return z * (1 + (z2+1)/(4*n) + ((5*z2+16)*z2+3)/(96*n*n) + (((3*z2+19)*z2+17)*z2-15)/(384*n*n*n) +
		((((79*z2+776)*z2+1482)*z2-1920)*z2-945)/(92160*n*n*n*n))
}
