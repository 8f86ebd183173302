package probe_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// readNPY reads a matrix or a vector in NumPy's format, version 1, in C order.
func readNPY[T float32 | int64](t *testing.T, name string) (values []T, rows int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	header, body := string(b[10:10+binary.LittleEndian.Uint16(b[8:])]), b[10+binary.LittleEndian.Uint16(b[8:]):]
	shape := regexp.MustCompile(`'shape': \((\d+),`).FindStringSubmatch(header)
	if string(b[:8]) != "\x93NUMPY\x01\x00" || shape == nil {
		t.Fatalf("%s has the header %q", name, header)
	}
	if rows, err = strconv.Atoi(shape[1]); err != nil {
		t.Fatal(err)
	}
	values = make([]T, len(body)/binary.Size(T(0)))
	if err := binary.Read(bytes.NewReader(body), binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	return values, rows
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func goldenSamples(t *testing.T, name string) probe.Samples {
	t.Helper()
	x, rows := readNPY[float32](t, name+".X.npy")
	y, labels := readNPY[int64](t, name+".y.npy")
	if rows != labels {
		t.Fatalf("%s has %d rows and %d labels", name, rows, labels)
	}
	var s probe.Samples
	dim := len(x) / rows
	for i := range rows {
		s.Rows, s.Liked = append(s.Rows, x[i*dim:(i+1)*dim]), append(s.Liked, y[i] == 1)
	}
	return s
}

// weigh gives each sample its class's weight.
func weigh(s probe.Samples, like, dislike float64) probe.Samples {
	s.Weights = make([]float64, len(s.Rows))
	for i, liked := range s.Liked {
		s.Weights[i] = dislike
		if liked {
			s.Weights[i] = like
		}
	}
	return s
}

func balance(s probe.Samples) probe.Samples {
	var likes int
	for _, liked := range s.Liked {
		if liked {
			likes++
		}
	}
	n := float64(len(s.Liked))
	return weigh(s, n/(2*float64(likes)), n/(2*(n-float64(likes))))
}

// deviations are the population deviations of the features.
func deviations(rows [][]float32) []float64 {
	out := make([]float64, len(rows[0]))
	for j := range out {
		var sum, square float64
		for _, row := range rows {
			sum += float64(row[j])
		}
		mean := sum / float64(len(rows))
		for _, row := range rows {
			square += (float64(row[j]) - mean) * (float64(row[j]) - mean)
		}
		out[j] = math.Sqrt(square / float64(len(rows)))
	}
	return out
}

func TestFitEqualsScikitLearn(t *testing.T) {
	var golden struct {
		Fits []struct {
			Data         string
			Standardized bool
			C            float64
			ClassWeight  json.RawMessage `json:"class_weight"`
			Coef         []float64
			Intercept    float64
			Objective    float64
		}
	}
	readJSON(t, "fits.json", &golden)
	if len(golden.Fits) != 54 {
		t.Fatalf("%d golden fits, want 54", len(golden.Fits))
	}
	tolerance := probe.DefaultConfig().Tolerance
	for i, want := range golden.Fits {
		t.Run(fmt.Sprintf("%02d %s C=%g", i, want.Data, want.C), func(t *testing.T) {
			s := goldenSamples(t, want.Data)
			switch weights := string(want.ClassWeight); weights {
			case "null":
			case `"balanced"`:
				s = balance(s)
			default:
				var by map[string]float64
				if err := json.Unmarshal(want.ClassWeight, &by); err != nil {
					t.Fatal(err)
				}
				s = weigh(s, by["1"], by["0"])
			}
			got, err := probe.Fit(t.Context(), s, probe.FitOptions{C: want.C, Standardise: want.Standardized, Tolerance: tolerance})
			if err != nil {
				t.Fatal(err)
			}
			if !got.Converged {
				t.Errorf("not converged after %d iterations", got.Ran)
			}
			if d := math.Abs(got.Objective-want.Objective) / want.Objective; d > 1e-9 {
				t.Errorf("objective %.12g, want %.12g: relative difference %.2g", got.Objective, want.Objective, d)
			}
			coef, intercept := got.Weights, got.Bias
			if want.Standardized {
				coef, intercept = standardised(s.Rows, got)
			}
			var largest, worst float64
			for j, w := range want.Coef {
				largest = max(largest, math.Abs(w))
				worst = max(worst, math.Abs(coef[j]-w))
			}
			worst = max(worst, math.Abs(intercept-want.Intercept))
			if worst > 1e-4*largest {
				t.Errorf("a coefficient is off by %.2g of the largest, want 1e-4 at most", worst/largest)
			}
			t.Logf("%d iterations; objective off by %.2g, coefficients by %.2g", got.Ran,
				math.Abs(got.Objective-want.Objective)/want.Objective, worst/largest)
		})
	}
}

// standardised undoes the folding of weights and bias.
func standardised(rows [][]float32, f *probe.Fitted) (coef []float64, intercept float64) {
	coef, intercept = make([]float64, len(f.Weights)), f.Bias
	for j, deviation := range deviations(rows) {
		coef[j] = f.Weights[j] * deviation
		var mean float64
		for _, row := range rows {
			mean += float64(row[j]) / float64(len(rows))
		}
		intercept += f.Weights[j] * mean
	}
	return coef, intercept
}

func TestMetricsEqualScikitLearn(t *testing.T) {
	var golden struct {
		Threshold float64
		Cases     []struct {
			Y                []int
			P                []float64
			AUC              float64 `json:"roc_auc"`
			AveragePrecision float64 `json:"average_precision"`
			BalancedAccuracy float64 `json:"balanced_accuracy"`
			Accuracy         float64
			F1               float64
			Precision        float64
			Recall           float64
			LogLoss          float64 `json:"log_loss"`
			Brier            float64
			MCC              float64
			Confusion        [2][2]int
			IsotonicAt       []float64 `json:"isotonic_at"`
			Isotonic         []float64
		}
	}
	readJSON(t, "metrics.json", &golden)
	if len(golden.Cases) == 0 {
		t.Fatal("no golden metrics")
	}
	for i, want := range golden.Cases {
		var liked []bool
		for _, y := range want.Y {
			liked = append(liked, y == 1)
		}
		check := func(name string, want float64) func(float64, error) {
			return func(got float64, err error) {
				t.Helper()
				if err != nil || !(math.Abs(got-want) <= 1e-9) {
					t.Errorf("case %d: %s is %.12g (%v), want %.12g", i, name, got, err, want)
				}
			}
		}
		check("AUC", want.AUC)(judge.AUC(want.P, liked))
		check("average precision", want.AveragePrecision)(judge.AveragePrecision(want.P, liked))
		check("log-loss", want.LogLoss)(judge.LogLoss(want.P, liked))
		check("Brier", want.Brier)(judge.Brier(want.P, liked))
		c, err := judge.NewConfusion(want.P, liked, golden.Threshold)
		check("balanced accuracy", want.BalancedAccuracy)(c.BalancedAccuracy(), err)
		check("accuracy", want.Accuracy)(c.Accuracy(), err)
		check("F1", want.F1)(c.F1(), err)
		check("precision", want.Precision)(c.Precision(), err)
		check("recall", want.Recall)(c.Recall(), err)
		check("MCC", want.MCC)(c.MCC(), err)
		if got := [2][2]int{{c.TrueDislikes, c.FalseLikes}, {c.FalseDislikes, c.TrueLikes}}; got != want.Confusion {
			t.Errorf("case %d: confusion %v, want %v", i, got, want.Confusion)
		}
		isotonic, err := judge.NewIsotonic(want.P, liked)
		if err != nil {
			t.Fatal(err)
		}
		for k, at := range want.IsotonicAt {
			check(fmt.Sprintf("isotonic at %g", at), want.Isotonic[k])(isotonic.Probability(at), nil)
		}
	}
}
