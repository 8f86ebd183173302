package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
)

func TestEvaluateTakesGradesAndRaters(t *testing.T) {
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 9))
	const rows = 240
	stars := make([]float64, rows)
	x := writeMatrix(t, filepath.Join(dir, "X.npy"), rows, 8, func(i, j int) float64 {
		v := random.NormFloat64()
		if j == 0 {
			stars[i] = max(1, min(5, float64(int(3.5+1.2*v))))
		}
		return v
	})
	y := writeMatrix(t, filepath.Join(dir, "stars.npy"), rows, 0, func(i, _ int) float64 { return stars[i] })
	graded := program.JSONRun[struct {
		Works, Grades int
		Rho           float64
		Low           float64 `json:"rho_low"`
		High          float64 `json:"rho_high"`
	}](t, "evaluate", "--features", x, "--labels", y)
	if !(graded.Low < graded.Rho && graded.Rho < graded.High && graded.Rho > .6) || graded.Works != rows || graded.Grades != 5 {
		t.Errorf("got %+v", graded)
	}
	if text := program.MustRun(t, "evaluate", "--features", x, "--labels", y); !strings.Contains(text, "Spearman's rho 0.") {
		t.Errorf("got %q", text)
	}

	var table strings.Builder
	table.WriteString("rater,row,rating\n")
	for i := range rows {
		fmt.Fprintf(&table, "%s,%d,%v\n", []string{"ann", "bob"}[i%2], i, stars[i])
		if i < 30 {
			fmt.Fprintf(&table, "cy,%d,%v\n", i, stars[i])
		}
	}
	ratings := filepath.Join(dir, "ratings.csv")
	program.WriteFile(t, ratings, []byte(table.String()))
	got := program.JSONRun[struct {
		Raters  int
		Learned []struct {
			From   int
			Rho    *float64
			Low    *float64 `json:"rho_low"`
			Judged []struct{ Rater string }
			TooFew []struct {
				Rater    string
				Pictures int
			} `json:"too_few"`
		}
	}](t, "evaluate", "--features", x, "--raters", ratings, "--draws", "3")
	if got.Raters != 3 || len(got.Learned) != 2 || len(got.Learned[0].Judged) != 3 || len(got.Learned[1].Judged) != 2 {
		t.Fatalf("got %+v", got)
	}
	many := got.Learned[1]
	if many.From != 100 || many.Rho == nil || *many.Rho < .5 || many.Low == nil || len(many.TooFew) != 1 || many.TooFew[0].Rater != "cy" || many.TooFew[0].Pictures != 30 {
		t.Errorf("got %+v", many)
	}
	if text := program.MustRun(t, "evaluate", "--features", x, "--raters", ratings); !strings.Contains(text, "they rated fewer than 105 different works: cy (30)") {
		t.Errorf("got %q", text)
	}

	wrong := filepath.Join(dir, "wrong.csv")
	program.WriteFile(t, wrong, []byte("rater,row,rating\nann,1,nice\n"))
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a word as a rating": {[]string{"--raters", wrong}, exitFailed, "line 2, column rating"},
		"no draws":           {[]string{"--raters", ratings, "--draws", "0"}, exitUsage, "--draws"},
		"both":               {[]string{"--raters", ratings, "--labels", y}, exitUsage, "--labels"},
		"a page of grades":   {[]string{"--labels", y, "--html", filepath.Join(dir, "r.html")}, exitUsage, "--html"},
		"patches of raters":  {[]string{"--raters", ratings, "--patches", x}, exitUsage, "--patches"},
	} {
		r := program.RunPalate(t, append([]string{"evaluate", "--features", x}, tt.args...)...)
		if r.Code != tt.code || !strings.Contains(r.Err, tt.says) {
			t.Errorf("%s: got exit code %d and %q, want %d and %q", name, r.Code, r.Err, tt.code, tt.says)
		}
	}
}
