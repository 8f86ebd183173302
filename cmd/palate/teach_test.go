package main

import (
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ownCollection is a copy of the demo's collection that a test may change.
func ownCollection(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "collection")
	if err := os.CopyFS(folder, os.DirFS(demoCollection(t))); err != nil {
		t.Fatal(err)
	}
	return folder
}

type asked struct {
	Image string `json:"image_id"`
	Shown string
	Score *float64
	Probe int `json:"probe_version"`
}

func TestTheQueueAsksWhatIsNotJudged(t *testing.T) {
	home := demoCollection(t)
	unrated := make(map[string]bool)
	for _, s := range jsonRun[[]scored](t, "scores", "--data", home, "--limit", "1000", "--unrated") {
		unrated[s.Image] = true
	}
	queue := jsonRun[[]asked](t, "queue", "--data", home, "--limit", "15")
	if len(queue) != 15 {
		t.Fatalf("%d pictures, want 15", len(queue))
	}
	seen := make(map[string]bool)
	for _, a := range queue {
		if !unrated[a.Image] || seen[a.Image] || a.Probe != 1 || a.Score == nil || !strings.HasPrefix(a.Shown, "queue:") {
			t.Errorf("got %+v", a)
		}
		seen[a.Image] = true
	}
	if text := mustRun(t, "queue", "--data", home); !strings.Contains(text, "explore") || !strings.Contains(text, "uncertain") {
		t.Errorf("got %s", text)
	}
	for _, limit := range []string{"0", "101"} {
		if r := runPalate(t, "queue", "--data", home, "--limit", limit); r.code != exitUsage {
			t.Errorf("--limit %s: got exit code %d and %q", limit, r.code, r.err)
		}
	}
}

func TestWhyAndReview(t *testing.T) {
	home := demoCollection(t)
	top := jsonRun[[]scored](t, "scores", "--data", home, "--limit", "1")[0]
	why := jsonRun[struct {
		Liked, Disliked []struct {
			Image      string `json:"image_id"`
			Similarity float64
		}
		Score       float64
		Probability float64
	}](t, "why", top.Image, "--data", home, "--limit", "3")
	if len(why.Liked) != 3 || len(why.Disliked) != 3 || why.Score != top.Score || why.Liked[0].Similarity < why.Liked[2].Similarity {
		t.Errorf("got %+v", why)
	}
	if text := mustRun(t, "why", top.Image, "--data", home); !strings.Contains(text, "nearest that me liked") {
		t.Errorf("got %s", text)
	}
	doubted := jsonRun[[]struct {
		Said        string
		Probability float64
		Doubt       float64
	}](t, "review", "--data", home)
	usual := map[string]float64{} // the mean confidence of the verdict that the probe would have given
	for i, d := range doubted {
		other := d.Probability
		if d.Said == "like" {
			other = 1 - d.Probability
		}
		if first, ok := usual[d.Said]; ok && math.Abs(other-d.Doubt-first) > 1e-12 || d.Doubt < 0 || i > 0 && d.Doubt > doubted[i-1].Doubt {
			t.Errorf("place %d: %+v", i, d)
		}
		usual[d.Said] = other - d.Doubt
	}
	mustRun(t, "review", "--data", home)
	if r := runPalate(t, "review", "--data", home, "--profile", "nobody"); r.code != exitFailed || !strings.Contains(r.err, "trained yet") {
		t.Errorf("of nobody: got exit code %d and %q", r.code, r.err)
	}
}

type historyLine struct {
	Version int
	Current bool
	Data    string
	AUC     float64
	Kind    string
}

func TestVersionsFromTrainingToImport(t *testing.T) {
	home := ownCollection(t)
	page := filepath.Join(t.TempDir(), "report.html")
	text := mustRun(t, "train", "--data", home, "--thorough", "--html", page, "--kind", "centroid", "--threshold", "f1")
	if !strings.Contains(text, "nearest neighbours") || !strings.Contains(text, "By artist") {
		t.Errorf("the thorough report: %s", text)
	}
	if b, err := os.ReadFile(page); err != nil || !strings.Contains(string(b), "<svg") {
		t.Errorf("the page: %v", err)
	}
	history := jsonRun[[]historyLine](t, "probe", "history", "--data", home)
	if len(history) != 2 || history[0].Version != 2 || history[0].Kind != "centroid" || history[1].Kind != "logistic" ||
		len(history[0].Data) != 64 || history[0].Data != history[1].Data {
		t.Errorf("history %+v", history)
	}
	serving := 2
	if history[1].Current {
		serving = 1
	}
	other := strconv.Itoa(3 - serving)
	mustRun(t, "probe", "rollback", other, "--data", home)
	for _, l := range jsonRun[[]historyLine](t, "probe", "history", "--data", home) {
		if l.Current != (strconv.Itoa(l.Version) == other) {
			t.Errorf("after the rollback to %s: %+v", other, l)
		}
	}
	if text := mustRun(t, "probe", "history", "--data", home); !strings.Contains(text, other+" *") {
		t.Errorf("history: %s", text)
	}
	if text := mustRun(t, "probe", "show", "1", "--data", home); !strings.Contains(text, "Early stopping") {
		t.Errorf("show: %s", text)
	}
	if text := mustRun(t, "probe", "compare", "1", "2", "--data", home); !strings.Contains(text, "both were judged on") {
		t.Errorf("compare: %s", text)
	}
	file := filepath.Join(t.TempDir(), "taste.probe")
	mustRun(t, "probe", "export", file, "--version", "1", "--data", home)
	before := jsonRun[[]scored](t, "scores", "--data", home, "--limit", "5")
	mustRun(t, "probe", "import", file, "--data", home, "--profile", "friend")
	mustRun(t, "probe", "rollback", "1", "--data", home)
	mine, theirs := jsonRun[[]scored](t, "scores", "--data", home, "--limit", "5"), jsonRun[[]scored](t, "scores", "--data", home, "--limit", "5", "--profile", "friend")
	if !slices.Equal(mine, theirs) || len(before) != 5 {
		t.Errorf("the exported probe scores %v, the imported one %v", mine, theirs)
	}
	if text := mustRun(t, "probe", "show", "--data", home, "--profile", "friend"); !strings.Contains(text, "imported") {
		t.Errorf("show an imported one: %s", text)
	}
	for name, args := range map[string][]string{
		"no such version": {"probe", "rollback", "9"},
		"no probe":        {"probe", "import", page},
		"a missing file":  {"probe", "import", filepath.Join(home, "none")},
		"a wrong kind":    {"train", "--kind", "oracle"},
	} {
		if r := runPalate(t, append(args, "--data", home)...); r.code == exitDone || strings.Count(r.err, "\n") > 2 {
			t.Errorf("%s: got exit code %d and %q", name, r.code, r.err)
		}
	}
}

func TestProfilesFromTheCommandLine(t *testing.T) {
	home := ownCollection(t)
	mustRun(t, "profile", "create", "mum", "--data", home)
	list := jsonRun[[]struct {
		Profile string
		Likes   int
	}](t, "profile", "list", "--data", home)
	likes := make(map[string]int) // other tests may have left profiles in what the collection is a copy of
	for _, p := range list {
		likes[p.Profile] = p.Likes
	}
	if mum, there := likes["mum"]; likes["me"] == 0 || !there || mum != 0 {
		t.Errorf("list %+v", list)
	}
	mustRun(t, "profile", "rename", "me", "dad", "--data", home)
	if got := jsonRun[[]scored](t, "scores", "--data", home, "--profile", "dad", "--limit", "3"); len(got) != 3 {
		t.Errorf("the renamed profile ranks %d", len(got))
	}
	like := jsonRun[struct{ Both, Images int }](t, "profile", "compare", "dad", "mum", "--data", home)
	if like.Both != 0 {
		t.Errorf("compared: %+v", like)
	}
	mustRun(t, "profile", "compare", "dad", "dad", "--data", home)
	mustRun(t, "profile", "delete", "mum", "--data", home)
	if text := mustRun(t, "profile", "list", "--data", home); strings.Contains(text, "mum") || !strings.Contains(text, "dad") {
		t.Errorf("list: %s", text)
	}
	for name, tt := range map[string]struct {
		args []string
		code int
	}{
		"create again":    {[]string{"profile", "create", "dad"}, exitFailed},
		"create nonsense": {[]string{"profile", "create", "No such"}, exitUsage},
		"rename nobody":   {[]string{"profile", "rename", "mum", "new"}, exitFailed},
		"delete nobody":   {[]string{"profile", "delete", "mum"}, exitFailed},
	} {
		if r := runPalate(t, append(tt.args, "--data", home)...); r.code != tt.code {
			t.Errorf("%s: got exit code %d and %q, want %d", name, r.code, r.err, tt.code)
		}
	}
}

type explained struct {
	Score   float64
	Heatmap heatLine
}

// The heat map is exact where the model takes the mean of its patches, a guess
// where it takes the class token, and can't be had of a model without patches.
func TestWhyDrawsWhereTheScoreComesFrom(t *testing.T) {
	addTiny(t)
	for pool, exact := range map[string]bool{"mean": true, "both": true, "cls": false} {
		home := filepath.Join(t.TempDir(), "collection")
		report := jsonRun[demoReport](t, "demo", "--once", "--pictures", "30", "--ratings", "24", "--model", "tiny", "--pool", pool, "--keep", "--data", home, "--profile", "me")
		best := jsonRun[[]scored](t, "scores", "--data", home, "--limit", "1", "--model", "tiny")[0]
		drawing := filepath.Join(t.TempDir(), "heat.PNG")
		why := jsonRun[explained](t, "why", best.Image, "--data", home, "--model", "tiny", "--heatmap", drawing)
		h := why.Heatmap
		sum := h.Rest
		for _, v := range h.Patches {
			sum += v
		}
		if h.Exact != exact || h.Columns != 4 || h.Rows != 4 || len(h.Patches) != 16 || math.Abs(sum-why.Score) > 1e-5 || why.Score != best.Score {
			t.Errorf("pool %s, of %d pictures: the patches and the rest are %v, the score is %v; got %+v", pool, report.Embedded, sum, why.Score, h)
		}
		file, err := os.Open(drawing)
		if err != nil {
			t.Fatal(err)
		}
		if size, err := png.DecodeConfig(file); err != nil || size.Width < 100 {
			t.Errorf("pool %s: the drawing is %+v: %v", pool, size, err)
		}
		file.Close()
	}
	home := demoCollection(t)
	best := jsonRun[[]scored](t, "scores", "--data", home, "--limit", "1")[0]
	drawing := filepath.Join(t.TempDir(), "heat.png")
	mustFail(t, exitFailed, []string{"baseline", "DINOv2"}, "why", best.Image, "--data", home, "--heatmap", drawing)
	mustFail(t, exitUsage, []string{".png"}, "why", best.Image, "--data", home, "--heatmap", "heat.svg")
	if _, err := os.Stat(drawing); !os.IsNotExist(err) {
		t.Errorf("a drawing was left: %v", err)
	}
}
