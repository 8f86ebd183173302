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

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/demo"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
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
	for _, s := range program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1000", "--unrated") {
		unrated[s.Image] = true
	}
	queue := program.JSONRun[[]asked](t, "queue", "--data", home, "--limit", "15")
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
	if text := program.MustRun(t, "queue", "--data", home); !strings.Contains(text, "explore") || !strings.Contains(text, "uncertain") {
		t.Errorf("got %s", text)
	}
	for _, limit := range []string{"0", "101"} {
		if r := program.RunPalate(t, "queue", "--data", home, "--limit", limit); r.Code != exitUsage {
			t.Errorf("--limit %s: got exit code %d and %q", limit, r.Code, r.Err)
		}
	}
}

func TestWhyAndReview(t *testing.T) {
	home := demoCollection(t)
	top := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1")[0]
	why := program.JSONRun[struct {
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
	if text := program.MustRun(t, "why", top.Image, "--data", home); !strings.Contains(text, "nearest that me liked") {
		t.Errorf("got %s", text)
	}
	doubted := program.JSONRun[[]struct {
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
	program.MustRun(t, "review", "--data", home)
	if r := program.RunPalate(t, "review", "--data", home, "--profile", "nobody"); r.Code != exitFailed || !strings.Contains(r.Err, "no taste of nobody yet") {
		t.Errorf("of nobody: got exit code %d and %q", r.Code, r.Err)
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
	text := program.MustRun(t, "train", "--data", home, "--thorough", "--html", page, "--kind", "centroid", "--threshold", "f1")
	if !strings.Contains(text, "nearest neighbours") || !strings.Contains(text, "By artist") {
		t.Errorf("the thorough report: %s", text)
	}
	if b, err := os.ReadFile(page); err != nil || !strings.Contains(string(b), "<svg") {
		t.Errorf("the page: %v", err)
	}
	history := program.JSONRun[[]historyLine](t, "probe", "history", "--data", home)
	if len(history) != 2 || history[0].Version != 2 || history[0].Kind != "centroid" || history[1].Kind == "" || history[1].Kind == "centroid" ||
		len(history[0].Data) != 64 || history[0].Data != history[1].Data {
		t.Errorf("history %+v", history)
	}
	serving := 2
	if history[1].Current {
		serving = 1
	}
	other := strconv.Itoa(3 - serving)
	program.MustRun(t, "probe", "rollback", other, "--data", home)
	for _, l := range program.JSONRun[[]historyLine](t, "probe", "history", "--data", home) {
		if l.Current != (strconv.Itoa(l.Version) == other) {
			t.Errorf("after the rollback to %s: %+v", other, l)
		}
	}
	if text := program.MustRun(t, "probe", "history", "--data", home); !strings.Contains(text, other+" *") {
		t.Errorf("history: %s", text)
	}
	if text := program.MustRun(t, "probe", "show", "1", "--data", home); !strings.Contains(text, "Ways to learn") {
		t.Errorf("show: %s", text)
	}
	if text := program.MustRun(t, "probe", "compare", "1", "2", "--data", home); !strings.Contains(text, "both were judged on") {
		t.Errorf("compare: %s", text)
	}
	file := filepath.Join(t.TempDir(), "taste.probe")
	program.MustRun(t, "probe", "export", file, "--version", "1", "--data", home)
	before := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "5")
	program.MustRun(t, "probe", "import", file, "--data", home, "--profile", "friend")
	program.MustRun(t, "probe", "rollback", "1", "--data", home)
	mine, theirs := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "5"), program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "5", "--profile", "friend")
	if !slices.Equal(mine, theirs) || len(before) != 5 {
		t.Errorf("the exported probe scores %v, the imported one %v", mine, theirs)
	}
	if text := program.MustRun(t, "probe", "show", "--data", home, "--profile", "friend"); !strings.Contains(text, "imported") {
		t.Errorf("show an imported one: %s", text)
	}
	for name, args := range map[string][]string{
		"no such version": {"probe", "rollback", "9"},
		"no probe":        {"probe", "import", page},
		"a missing file":  {"probe", "import", filepath.Join(home, "none")},
		"a wrong kind":    {"train", "--kind", "oracle"},
	} {
		if r := program.RunPalate(t, append(args, "--data", home)...); r.Code == exitDone || strings.Count(r.Err, "\n") > 2 {
			t.Errorf("%s: got exit code %d and %q", name, r.Code, r.Err)
		}
	}
}

func TestProfilesFromTheCommandLine(t *testing.T) {
	home := ownCollection(t)
	program.MustRun(t, "profile", "create", "mum", "--data", home)
	list := program.JSONRun[[]struct {
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
	program.MustRun(t, "profile", "rename", "me", "dad", "--data", home)
	if got := program.JSONRun[[]scored](t, "scores", "--data", home, "--profile", "dad", "--limit", "3"); len(got) != 3 {
		t.Errorf("the renamed profile ranks %d", len(got))
	}
	like := program.JSONRun[struct{ Both, Images int }](t, "profile", "compare", "dad", "mum", "--data", home)
	if like.Both != 0 {
		t.Errorf("compared: %+v", like)
	}
	program.MustRun(t, "profile", "compare", "dad", "dad", "--data", home)
	program.MustRun(t, "profile", "delete", "mum", "--data", home)
	if text := program.MustRun(t, "profile", "list", "--data", home); strings.Contains(text, "mum") || !strings.Contains(text, "dad") {
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
		if r := program.RunPalate(t, append(tt.args, "--data", home)...); r.Code != tt.code {
			t.Errorf("%s: got exit code %d and %q, want %d", name, r.Code, r.Err, tt.code)
		}
	}
}

type explained struct {
	Score   float64
	Heatmap collection.HeatMap
}

// The heat map is exact where the model takes the mean of its patches, a guess
// where it takes the class token, and can't be had of a model without patches.
func TestWhyDrawsWhereTheScoreComesFrom(t *testing.T) {
	race.Long(t)
	program.AddTiny(t)
	for pool, exact := range map[string]bool{"mean": true, "both": true, "cls": false} {
		home := filepath.Join(t.TempDir(), "collection")
		report := program.JSONRun[demo.Report](t, "demo", "--once", "--pictures", "30", "--ratings", "24", "--model", "tiny", "--pool", pool, "--keep", "--data", home, "--profile", "me")
		best := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1", "--model", "tiny")[0]
		drawing := filepath.Join(t.TempDir(), "heat.PNG")
		why := program.JSONRun[explained](t, "why", best.Image, "--data", home, "--model", "tiny", "--heatmap", drawing)
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
	best := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1")[0]
	drawing := filepath.Join(t.TempDir(), "heat.png")
	program.MustFail(t, exitFailed, []string{"baseline", "DINOv2"}, "why", best.Image, "--data", home, "--heatmap", drawing)
	program.MustFail(t, exitUsage, []string{".png"}, "why", best.Image, "--data", home, "--heatmap", "heat.svg")
	if _, err := os.Stat(drawing); !os.IsNotExist(err) {
		t.Errorf("a drawing was left: %v", err)
	}
}
