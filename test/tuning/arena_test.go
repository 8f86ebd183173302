package tuning_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/arena"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// Two planted tastes, of one model with random weights. Wide stripes at any
// angle in noise are what a head on a random body tells badly, and what training
// it learns; dark and bright is what the head tells already.
func TestTheArenaNamesWhatWasPlanted(t *testing.T) {
	race.Long(t)
	for name, tc := range map[string]struct {
		paint func(i int) (liked bool, wavelength, brightness float64)
		says  string
		not   string
	}{
		"fine-tuning wins": {func(i int) (bool, float64, float64) {
			return i%3 == 0, map[bool]float64{true: 12, false: 9}[i%3 == 0], 128
		}, "Fine-tuning tiny (full) is better than the probe on it", "as good"},
		"it can't": {func(i int) (bool, float64, float64) {
			return i%3 == 0, 9, map[bool]float64{true: 170, false: 90}[i%3 == 0]
		}, "The probe on tiny is as good as fine-tuning tiny (full)", "better than"},
	} {
		t.Run(name, func(t *testing.T) {
			home, page := painted(t, 120, tc.paint), filepath.Join(t.TempDir(), "arena.html")
			args := []string{"arena", "--data", home, "--profile", "me", "--with", "tiny", "--methods", "probe,full", "--folds", "2", "--epochs", "6", "--lr", "2e-3", "--yes", "--html", page}
			text := program.MustRun(t, args...)
			if !strings.Contains(text, tc.says) || strings.Contains(text, tc.not) {
				t.Errorf("got %s\nwant that it says %q", text, tc.says)
			}
			if html := program.ReadFile(t, page); !bytes.Contains(html, []byte("<svg")) || !bytes.Contains(html, []byte(tc.says)) {
				t.Error("the page lacks its plot or its verdict")
			}
			r := program.JSONRun[arena.Report](t, args...)
			for _, c := range r.Cells {
				if !c.Kept || len(c.Metrics) != 4 || c.Metrics["auc"].Low > c.Metrics["auc"].Value || c.Seconds <= 0 {
					t.Errorf("again: got %s by %s with %v, want what was measured before", c.Model, c.Method, c.Metrics)
				}
			}
		})
	}
}

func TestTheArenaSaysWhatIsWrong(t *testing.T) {
	race.Long(t)
	home := stripes(t, 36)
	with := func(more ...string) []string {
		return append([]string{"arena", "--data", home, "--profile", "me", "--with", "tiny"}, more...)
	}
	program.MustFail(t, program.ExitUsage, []string{"lora:R"}, with("--methods", "forest")...)
	program.MustFail(t, program.ExitFailed, []string{"6 folds"}, with("--folds", "6")...)
	program.MustFail(t, program.ExitFailed, []string{"0 likes and 0 dislikes"}, "arena", "--data", program.EmptyHome(t), "--profile", "me", "--with", "tiny")

	r := program.JSONRun[arena.Report](t, with("--with", "baseline", "--methods", "probe,centroid,knn,last:1", "--folds", "1", "--epochs", "1", "--budget", "1ms")...)
	for _, c := range r.Cells {
		switch fineTuned := strings.HasPrefix(c.Method, "finetune"); {
		case c.Model == "baseline" && fineTuned:
			if !strings.Contains(c.Failed, "no weights") {
				t.Errorf("the built-in model: got %+v", c)
			}
		case fineTuned:
			if !c.Cut {
				t.Errorf("a budget of a millisecond did not cut %+v", c)
			}
		case c.Cut || len(c.Folds) != 5 || len(c.Metrics) != 4:
			t.Errorf("got %s by %s of %v with %v", c.Model, c.Method, c.Folds, c.Metrics)
		}
	}
	for _, p := range r.Pairs {
		if strings.Contains(p.First+p.Second, "finetune") {
			t.Errorf("what was cut is ranked: %+v", p)
		}
	}
	text := program.MustRun(t, with("--methods", "probe,full", "--epochs", "1", "--protocol", "single-split")...)
	if !strings.Contains(text, "flatter") || !strings.Contains(text, "BALANCED ACCURACY") {
		t.Errorf("one split: got %s", text)
	}
}
