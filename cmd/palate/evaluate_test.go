package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// writeMatrix writes float32 in NumPy's format; cols 0 writes one dimension
// of int64.
func writeMatrix(t *testing.T, path string, rows, cols int, value func(i, j int) float64) string {
	t.Helper()
	descr, shape := "<f4", fmt.Sprintf("(%d, %d)", rows, cols)
	if cols == 0 {
		descr, shape = "<i8", fmt.Sprintf("(%d,)", rows)
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	b = append(b, header...)
	for i := range rows {
		for j := range cols {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(value(i, j))))
		}
		if cols == 0 {
			b = binary.LittleEndian.AppendUint64(b, uint64(value(i, 0)))
		}
	}
	program.WriteFile(t, path, b)
	return path
}

func TestEvaluateJudgesAnybodysEmbeddings(t *testing.T) {
	race.Long(t)
	dir := t.TempDir()
	const rows, likes = 193, 76
	dim := 768
	if race.Enabled {
		dim = 64
	}
	random := rand.New(rand.NewPCG(1, 1))
	direction := make([]float64, dim)
	for j := range direction {
		direction[j] = random.NormFloat64()
	}
	x := writeMatrix(t, filepath.Join(dir, "X.npy"), rows, dim, func(i, j int) float64 {
		v := 3 * random.NormFloat64()
		if i < likes {
			v += direction[j]
		}
		return v
	})
	y := writeMatrix(t, filepath.Join(dir, "y.npy"), rows, 0, func(i, _ int) float64 {
		if i < likes {
			return 1
		}
		return 0
	})
	got := program.JSONRun[struct {
		AUC       float64 `json:"auc"`
		Low       float64 `json:"auc_low"`
		High      float64 `json:"auc_high"`
		AP        float64 `json:"average_precision"`
		Balanced  float64 `json:"balanced_accuracy"`
		Baselines []struct{ Kind string }
		Seconds   float64
		OutOfFold []struct {
			Row   int
			Liked bool
		} `json:"out_of_fold"`
	}](t, "evaluate", "--features", x, "--labels", y)
	if !(got.Low < got.AUC && got.AUC <= got.High && got.AUC > .9 && got.AP > .8 && got.Balanced > .7) || len(got.Baselines) < 3 {
		t.Errorf("got %+v", got)
	}
	if !race.Enabled && (got.Seconds <= 0 || got.Seconds > 15) {
		t.Errorf("%v seconds, want five at most on a quiet machine", got.Seconds)
	}
	if len(got.OutOfFold) != rows {
		t.Fatalf("%d predictions, want %d", len(got.OutOfFold), rows)
	}
	for i, p := range got.OutOfFold {
		if p.Row != i || p.Liked != (i < likes) {
			t.Fatalf("prediction %d is of row %d, liked %v", i, p.Row, p.Liked)
		}
	}
	page := filepath.Join(dir, "report.html")
	text := program.MustRun(t, "evaluate", "--features", x, "--labels", y, "--html", page, "--threshold", "precision:0.9", "--weights", "none",
		"--kind", "centroid", "--patches", x, "--baseline", x)
	for _, want := range []string{"ROC-AUC", "nearest neighbours", "TAKEN AS LIKED", "centroid", "precision:0.9", "logistic on CLS and mean patch", "logistic on baseline embeddings"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	html, err := os.ReadFile(page)
	if err != nil || strings.Count(string(html), "<svg") != 4 {
		t.Errorf("the page: %v, %d plots, want 4", err, strings.Count(string(html), "<svg"))
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestEvaluateRefuses(t *testing.T) {
	dir := t.TempDir()
	x := writeMatrix(t, filepath.Join(dir, "X.npy"), 20, 3, func(i, j int) float64 { return float64(i*j%7) + 1 })
	zeros := writeMatrix(t, filepath.Join(dir, "zeros.npy"), 20, 3, func(i, _ int) float64 { return float64(i % 5) })
	one := writeMatrix(t, filepath.Join(dir, "one.npy"), 20, 0, func(int, int) float64 { return 1 })
	y := writeMatrix(t, filepath.Join(dir, "y.npy"), 20, 0, func(i, _ int) float64 { return float64(i % 2) })
	short := writeMatrix(t, filepath.Join(dir, "short.npy"), 19, 3, func(int, int) float64 { return 1 })
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no features":      {[]string{"--labels", y}, exitUsage, "--features"},
		"a missing file":   {[]string{"--features", filepath.Join(dir, "none.npy")}, exitFailed, "none.npy"},
		"one kind":         {[]string{"--features", x, "--labels", one}, exitFailed, "one kind: 7 likes and 0 dislikes; 5 more"},
		"a row of zeros":   {[]string{"--features", zeros, "--labels", y}, exitFailed, "row 0"},
		"fewer patches":    {[]string{"--features", x, "--labels", y, "--patches", short}, exitFailed, "19 rows"},
		"an unknown kind":  {[]string{"--features", x, "--labels", y, "--kind", "oracle"}, exitUsage, "oracle"},
		"wrong weights":    {[]string{"--features", x, "--labels", y, "--weights", "much"}, exitUsage, "much"},
		"negative weights": {[]string{"--features", x, "--labels", y, "--weights=-1:2"}, exitUsage, "above 0"},
		"wrong threshold":  {[]string{"--features", x, "--labels", y, "--threshold", "top:200%"}, exitUsage, "top"},
		"wrong method":     {[]string{"--features", x, "--labels", y, "--calibration", "guess"}, exitUsage, "guess"},
	} {
		r := program.RunPalate(t, append([]string{"evaluate"}, tt.args...)...)
		if r.Code != tt.code || !strings.Contains(r.Err, tt.says) || strings.Contains(r.Err, "rate more") {
			t.Errorf("%s: got exit code %d and %q, want %d and %q", name, r.Code, r.Err, tt.code, tt.says)
		}
	}
}
