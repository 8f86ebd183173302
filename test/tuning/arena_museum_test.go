package tuning_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/arena"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/tuning"
	"github.com/palate-art/palate/test/program"
)

// Both are read before the tests' own environment takes its place.
var planted, pagesFolder = os.Getenv("PALATE_TEST_PLANTED") != "", os.Getenv("PALATE_TEST_PLANTED_PAGES")

// The made-up museum's styles: a model learns some of them at school, and is
// asked for a taste in the others.
var (
	schoolLiked    = []museum.Style{museum.ColourFields, museum.OpArt}
	schoolDisliked = []museum.Style{museum.Grid, museum.Pointillism, museum.Landscape}
	laterLiked     = []museum.Style{museum.Hatching, museum.Strokes}
	laterDisliked  = []museum.Style{museum.Blots, museum.Suprematism, museum.Circles}
)

// A tiny model with random weights is fine-tuned on a taste in half of the
// museum's styles, and takes part with what it is then, in two tastes in the
// other half. Two styles against three are shapes that its school had not: more
// training tells them better than a probe does. Early works against late ones
// are not to be seen in the pictures: nothing tells them, and that is said.
func TestTheArenaOnTheMuseum(t *testing.T) {
	if !planted {
		t.Skip("opt-in: trains for minutes; PALATE_TEST_PLANTED=1 runs it, PALATE_TEST_PLANTED_PAGES=FOLDER keeps the pages")
	}
	config := museum.DefaultConfig()
	config.Pictures, config.Scale = 1200, .2
	m, err := museum.New(config)
	if err != nil {
		t.Fatal(err)
	}
	program.AddTiny(t)
	school := hung(t, m, func(w museum.Work) (liked, shown bool) {
		liked = slices.Contains(schoolLiked, w.Style)
		return liked, liked || slices.Contains(schoolDisliked, w.Style)
	})
	trained := program.JSONRun[tuning.Result](t, "finetune", "--model", "tiny", "--data", school, "--profile", "me", "--name", "school", "--epochs", "12", "--lr", "2e-3", "--batch", "8")
	t.Logf("at school: balanced accuracy %.3f by the probe, %.3f trained", trained.Begun.BalancedAccuracy, trained.Best.BalancedAccuracy)

	others := func(w museum.Work) (liked, shown bool) {
		liked = slices.Contains(laterLiked, w.Style)
		return liked, liked || slices.Contains(laterDisliked, w.Style)
	}
	var years []int
	for _, w := range m.Works() {
		if _, shown := others(w); shown {
			years = append(years, w.Year)
		}
	}
	slices.Sort(years)
	middle := years[len(years)*2/5]
	for name, tc := range map[string]struct {
		taste func(museum.Work) (liked, shown bool)
		says  string
		not   string
	}{
		"styles it had not": {others, "fine-tuning school (full) is better than the probe on it", "chance"},
		"the year": {func(w museum.Work) (liked, shown bool) {
			_, shown = others(w)
			return w.Year < middle, shown
		}, "neither the probe on school nor fine-tuning it (full) is told apart from chance", "better"},
	} {
		t.Run(name, func(t *testing.T) {
			home, page := hung(t, m, tc.taste), filepath.Join(t.TempDir(), "arena.html")
			r := program.JSONRun[arena.Report](t, "arena", "--data", home, "--profile", "me", "--with", "school", "--methods", "probe,full", "--folds", "3", "--epochs", "12", "--lr", "2e-3", "--yes", "--html", page)
			for _, c := range r.Cells {
				t.Logf("%s: AUC %s of %d likes and %d dislikes in %.2g s", c.Method, c.Metrics["auc"], r.Likes, r.Dislikes, c.Seconds)
			}
			verdict := strings.Join(r.Verdicts, "; ")
			if t.Log(verdict); !strings.Contains(verdict, tc.says) || strings.Contains(verdict, tc.not) {
				t.Errorf("got %q, want that it says %q", verdict, tc.says)
			}
			if pagesFolder != "" {
				program.WriteFile(t, filepath.Join(pagesFolder, name+".html"), program.ReadFile(t, page))
			}
		})
	}
}

// hung is a collection of what is shown of the museum, and rated.
func hung(t *testing.T, m *museum.Museum, taste func(museum.Work) (liked, shown bool)) (home string) {
	t.Helper()
	folder, home := t.TempDir(), t.TempDir()
	for i, w := range m.Works() {
		liked, shown := taste(w)
		if !shown {
			continue
		}
		content, err := m.File(i)
		if err != nil {
			t.Fatal(err)
		}
		program.WriteFile(t, filepath.Join(folder, map[bool]string{true: "good", false: "bad"}[liked], fmt.Sprintf("%d%s", i, filepath.Ext(w.FileName))), content)
	}
	program.MustRun(t, "import", folder, "--data", home, "--profile", "me")
	return home
}
