package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
)

// A flag wins over the environment, that over the configuration file, that
// over the default.
func TestFlagEnvironmentFileDefault(t *testing.T) {
	home, pictures := t.TempDir(), program.MuseumPictures(t, 1)
	file := filepath.Join(t.TempDir(), "config.json")
	rate := func(want palate.Profile, args ...string) {
		t.Helper()
		line := program.JSONRun[collection.Rated](t, append([]string{"rate", "like", filepath.Join(pictures, "0.jpg")}, args...)...)
		if line.Profile != want {
			t.Errorf("palate rate %v: got profile %q, want %q", args, line.Profile, want)
		}
	}
	program.MustRun(t, "import", pictures, "--data", home)
	settings, err := json.Marshal(map[string]string{"profile": "from-file", "data": home})
	if err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, file, settings)
	rate(palate.DefaultProfile, "--data", home)
	rate("from-file", "--config", file)
	t.Setenv("PALATE_PROFILE", "from-environment")
	t.Setenv("PALATE_DATA", home)
	rate("from-environment")
	rate("from-environment", "--config", file)
	rate("from-flag", "--config", file, "--profile", "from-flag")
}

func TestTheConfigurationFileIsFoundWithoutBeingNamed(t *testing.T) {
	base, home, pictures := t.TempDir(), t.TempDir(), program.MuseumPictures(t, 1)
	t.Setenv("XDG_CONFIG_HOME", base)
	t.Setenv("HOME", base)
	config, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	settings, err := json.Marshal(map[string]any{"data": home, "json": true})
	if err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, filepath.Join(config, "palate", "config.json"), settings)
	out := program.MustRun(t, "import", pictures)
	if got := program.JSONValues[funnel](t, out); got[0].Kept != 1 {
		t.Errorf("got %+v, want one kept", got)
	}
	if got := len(program.LookInto(t, home).Images); got != 1 {
		t.Errorf("got %d images in the folder of the file, want 1", got)
	}
	program.WriteFile(t, filepath.Join(config, "palate", "config.json"), []byte("{profile: me}"))
	r := program.RunPalate(t, "version")
	if r.Code != exitUsage || !strings.Contains(r.Err, "config.json") || strings.Contains(r.Err, "panic") {
		t.Errorf("a broken file: got exit code %d and %q, want 2 and its name", r.Code, r.Err)
	}
}

func TestAConfigurationFileThatIsWrongIsToldByName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.json")
	program.WriteFile(t, file, []byte(`{"offline": true, "profil": "me", "ort_library": ""}`))
	program.MustFail(t, exitUsage, []string{file, `"profil"`}, "version", "--config", file)
	program.WriteFile(t, file, []byte(`["me"]`))
	program.MustFail(t, exitUsage, []string{file, "JSON object"}, "version", "--config", file)
	t.Setenv("PALATE_CONFIG", file+"-none")
	program.MustFail(t, exitUsage, []string{file + "-none"}, "version")
}

func TestTheCollectionLiesInTheXDGPlace(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_DATA_HOME", base)
	program.MustRun(t, "import", program.MuseumPictures(t, 1))
	if _, err := os.Stat(filepath.Join(base, "palate", collection.CatalogFile)); err != nil {
		t.Error(err)
	}
}

func TestDoctorLooksAtEverything(t *testing.T) {
	home := demoCollection(t)
	type report struct {
		Version string
		Runtime struct {
			Library   map[string]any
			Providers []struct {
				Name      string
				Available bool
				Why       string
			}
		}
		Model struct {
			Model string
			Dim   int
		}
		Collection struct{ Images, Embedded, Failed, Deleted int }
		Problems   []string
	}
	got := program.JSONRun[report](t, "doctor", "--data", home)
	if got.Model.Model != "baseline" || got.Model.Dim < 100 || len(got.Problems) != 0 || got.Runtime.Library == nil {
		t.Errorf("got %+v", got)
	}
	if c := got.Collection; c.Images != program.DemoPictures || c.Embedded != program.DemoPictures || c.Failed != 0 || c.Deleted != 0 {
		t.Errorf("got the collection %+v, want %d images, all embedded", c, program.DemoPictures)
	}
	usable := 0
	for _, p := range got.Runtime.Providers {
		if p.Available {
			usable++
		} else if p.Why == "" {
			t.Errorf("provider %s is missing and nobody says why", p.Name)
		}
	}
	if usable == 0 {
		t.Errorf("got no usable provider of %+v", got.Runtime.Providers)
	}
	out := program.MustRun(t, "doctor", "--data", home)
	for _, want := range []string{"ONNX Runtime", "EXECUTION PROVIDER", "baseline", home, "Nothing is wrong with what was looked at"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not mention %q:\n%s", want, out)
		}
	}
	empty := filepath.Join(t.TempDir(), "none")
	if out := program.MustRun(t, "doctor", "--data", empty); !strings.Contains(out, "none in "+empty) {
		t.Errorf("got %q, want that there is no collection yet", out)
	}
	if _, err := os.Stat(empty); err == nil {
		t.Error("doctor made a collection where there was none")
	}
}

func TestARuntimeThatIsNoneIsToldWithWhatWasTried(t *testing.T) {
	file := filepath.Join(t.TempDir(), "libonnxruntime.so")
	program.WriteFile(t, file, []byte("no library"))
	r := program.StartWith(t, nil, "doctor", "--ort-library", file, "--offline").Wait()
	if r.Code != exitFailed || !strings.Contains(r.Out, "PROBLEM") || !strings.Contains(r.Out, file) {
		t.Errorf("got exit code %d and %q, want the file named as the problem", r.Code, r.Out)
	}
}

func TestVersionAndHelp(t *testing.T) {
	if got := program.JSONRun[map[string]string](t, "version"); got["version"] == "" || got["go"] == "" || got["platform"] == "" {
		t.Errorf("got %v", got)
	}
	if out := program.MustRun(t, "version"); !strings.HasPrefix(out, "palate ") {
		t.Errorf("got %q", out)
	}
	if out := program.MustRun(t, "--version"); !strings.HasPrefix(out, "palate ") {
		t.Errorf("--version prints %q", out)
	}
	if one, other := program.MustRun(t, "help", "crawl", "list"), program.MustRun(t, "crawl", "list", "--help"); one != other {
		t.Errorf("palate help COMMAND prints %q, want what --help does", one)
	}
	if out := program.MustRun(t); strings.Count(out, "\n") > 25 || !strings.Contains(out, "palate demo") {
		t.Errorf("palate alone does not say in short what to do first:\n%s", out)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out := program.MustRun(t, "completion", shell); !strings.Contains(out, "subscribe") {
			t.Errorf("the completion for %s knows no commands:\n%s", shell, out)
		}
	}
	if out := program.MustRun(t, "manual"); !strings.HasPrefix(out, ".TH PALATE 1") || !strings.Contains(out, `.SS "images delete <image> ..."`) {
		t.Errorf("the manual page is\n%.3000s", out)
	}
	for _, args := range [][]string{{}, {"--help"}, {"help"}} {
		out := program.MustRun(t, args...)
		for _, command := range []string{"demo", "crawl", "import", "embed", "rate", "train", "scores", "similar", "sort", "serve", "doctor", "version"} {
			if !strings.Contains(out, "\n  "+command) {
				t.Errorf("palate %v does not list %s:\n%s", args, command, out)
			}
		}
	}
	if out := program.MustRun(t, "crawl", "--help"); !strings.Contains(out, "--contact") {
		t.Errorf("the help of crawl does not explain --contact:\n%s", out)
	}
	for _, command := range []string{"serve", "demo"} { // nobody but this machine, unless told so
		if out := program.MustRun(t, command, "--help"); !strings.Contains(out, "127.0.0.1:7252") {
			t.Errorf("palate %s listens elsewhere than on loopback:\n%s", command, out)
		}
	}
}

// What is for programs stands alone on standard output, whatever a command
// shows besides.
func TestTrainPrintsJSONAndText(t *testing.T) {
	home := demoCollection(t)
	program.MustRun(t, "rate", "like", program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1")[0].Image, "--data", home, "--profile", "trainee")
	r := program.RunPalate(t, "train", "--data", home, "--profile", "trainee", "--json")
	if r.Code != exitFailed || r.Out != "" || !strings.Contains(r.Err, "1 like") {
		t.Errorf("one rating: got exit code %d, %q and %q, want what is missing", r.Code, r.Out, r.Err)
	}
	ranked := program.JSONRun[[]scored](t, "scores", "--data", home, "--limit", "1000")
	like, dislike := []string{"rate", "like"}, []string{"rate", "dislike"}
	for i := range 12 {
		like, dislike = append(like, ranked[i].Image), append(dislike, ranked[len(ranked)-1-i].Image)
	}
	for _, args := range [][]string{like, dislike} {
		program.MustRun(t, append(args, "--data", home, "--profile", "trainee", "--quiet")...)
	}
	type report struct {
		Profile string
		Version int
		Current bool
		Reason  string
		Report  struct{ Likes, Dislikes int }
	}
	got := program.JSONRun[report](t, "train", "--data", home, "--profile", "trainee")
	if got.Profile != "trainee" || got.Version != 1 || !got.Current || got.Report.Likes != 12 || got.Report.Dislikes != 12 {
		t.Errorf("got %+v", got)
	}
	out := program.MustRun(t, "train", "--data", home, "--profile", "trainee")
	if !strings.Contains(out, "Probe 2 of trainee on embeddings by baseline, from 12 likes and 12 dislikes") || !strings.Contains(out, "AUC") {
		t.Errorf("got %q", out)
	}
}
