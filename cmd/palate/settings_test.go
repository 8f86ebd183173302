package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
)

// A flag wins over the environment, that over the configuration file, that
// over the default.
func TestFlagEnvironmentFileDefault(t *testing.T) {
	home, pictures := t.TempDir(), museumPictures(t, 1)
	file := filepath.Join(t.TempDir(), "config.json")
	rate := func(want palate.Profile, args ...string) {
		t.Helper()
		line := jsonRun[ratingLine](t, append([]string{"rate", "like", filepath.Join(pictures, "0.jpg")}, args...)...)
		if line.Profile != want {
			t.Errorf("palate rate %v: got profile %q, want %q", args, line.Profile, want)
		}
	}
	mustRun(t, "import", pictures, "--data", home)
	settings, err := json.Marshal(map[string]string{"profile": "from-file", "data": home})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, settings)
	rate(palate.DefaultProfile, "--data", home)
	rate("from-file", "--config", file)
	t.Setenv("PALATE_PROFILE", "from-environment")
	t.Setenv("PALATE_DATA", home)
	rate("from-environment")
	rate("from-environment", "--config", file)
	rate("from-flag", "--config", file, "--profile", "from-flag")
}

func TestTheConfigurationFileIsFoundWithoutBeingNamed(t *testing.T) {
	base, home, pictures := t.TempDir(), t.TempDir(), museumPictures(t, 1)
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
	writeFile(t, filepath.Join(config, "palate", "config.json"), settings)
	out := mustRun(t, "import", pictures)
	if got := jsonValues[funnel](t, out); got[0].Kept != 1 {
		t.Errorf("got %+v, want one kept", got)
	}
	if got := len(lookInto(t, home).images); got != 1 {
		t.Errorf("got %d images in the folder of the file, want 1", got)
	}
	writeFile(t, filepath.Join(config, "palate", "config.json"), []byte("{profile: me}"))
	r := runPalate(t, "version")
	if r.code != exitUsage || !strings.Contains(r.err, "config.json") || strings.Contains(r.err, "panic") {
		t.Errorf("a broken file: got exit code %d and %q, want 2 and its name", r.code, r.err)
	}
}

func TestAConfigurationFileThatIsWrongIsToldByName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.json")
	writeFile(t, file, []byte(`{"offline": true, "profil": "me", "ort_library": ""}`))
	mustFail(t, exitUsage, []string{file, `"profil"`}, "version", "--config", file)
	writeFile(t, file, []byte(`["me"]`))
	mustFail(t, exitUsage, []string{file, "JSON object"}, "version", "--config", file)
	t.Setenv("PALATE_CONFIG", file+"-none")
	mustFail(t, exitUsage, []string{file + "-none"}, "version")
}

func TestTheCollectionLiesInTheXDGPlace(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_DATA_HOME", base)
	mustRun(t, "import", museumPictures(t, 1))
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
	got := jsonRun[report](t, "doctor", "--data", home)
	if got.Model.Model != "baseline" || got.Model.Dim < 100 || len(got.Problems) != 0 || got.Runtime.Library == nil {
		t.Errorf("got %+v", got)
	}
	if c := got.Collection; c.Images != demoPictures || c.Embedded != demoPictures || c.Failed != 0 || c.Deleted != 0 {
		t.Errorf("got the collection %+v, want %d images, all embedded", c, demoPictures)
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
	out := mustRun(t, "doctor", "--data", home)
	for _, want := range []string{"ONNX Runtime", "EXECUTION PROVIDER", "baseline", home, "Nothing is wrong with what was looked at"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not mention %q:\n%s", want, out)
		}
	}
	empty := filepath.Join(t.TempDir(), "none")
	if out := mustRun(t, "doctor", "--data", empty); !strings.Contains(out, "none in "+empty) {
		t.Errorf("got %q, want that there is no collection yet", out)
	}
	if _, err := os.Stat(empty); err == nil {
		t.Error("doctor made a collection where there was none")
	}
}

func TestARuntimeThatIsNoneIsToldWithWhatWasTried(t *testing.T) {
	file := filepath.Join(t.TempDir(), "libonnxruntime.so")
	writeFile(t, file, []byte("no library"))
	r := startWith(t, nil, "doctor", "--ort-library", file, "--offline").wait()
	if r.code != exitFailed || !strings.Contains(r.out, "PROBLEM") || !strings.Contains(r.out, file) {
		t.Errorf("got exit code %d and %q, want the file named as the problem", r.code, r.out)
	}
}

func TestVersionAndHelp(t *testing.T) {
	if got := jsonRun[map[string]string](t, "version"); got["version"] == "" || got["go"] == "" || got["platform"] == "" {
		t.Errorf("got %v", got)
	}
	if out := mustRun(t, "version"); !strings.HasPrefix(out, "palate ") {
		t.Errorf("got %q", out)
	}
	for _, args := range [][]string{{}, {"--help"}} {
		out := mustRun(t, args...)
		for _, command := range []string{"demo", "crawl", "import", "embed", "rate", "train", "scores", "similar", "sort", "serve", "doctor", "version"} {
			if !strings.Contains(out, "\n  "+command) {
				t.Errorf("palate %v does not list %s:\n%s", args, command, out)
			}
		}
	}
	if out := mustRun(t, "crawl", "--help"); !strings.Contains(out, "--contact") {
		t.Errorf("the help of crawl does not explain --contact:\n%s", out)
	}
	for _, command := range []string{"serve", "demo"} { // nobody but this machine, unless told so
		if out := mustRun(t, command, "--help"); !strings.Contains(out, "127.0.0.1:7252") {
			t.Errorf("palate %s listens elsewhere than on loopback:\n%s", command, out)
		}
	}
}

// What is for programs stands alone on standard output, whatever a command
// shows besides.
func TestTrainPrintsJSONAndText(t *testing.T) {
	home := demoCollection(t)
	mustRun(t, "rate", "like", jsonRun[[]scored](t, "scores", "--data", home, "--limit", "1")[0].Image, "--data", home, "--profile", "trainee")
	r := runPalate(t, "train", "--data", home, "--profile", "trainee", "--json")
	if r.code != exitFailed || r.out != "" || !strings.Contains(r.err, "1 like") {
		t.Errorf("one rating: got exit code %d, %q and %q, want what is missing", r.code, r.out, r.err)
	}
	ranked := jsonRun[[]scored](t, "scores", "--data", home, "--limit", "1000")
	like, dislike := []string{"rate", "like"}, []string{"rate", "dislike"}
	for i := range 12 {
		like, dislike = append(like, ranked[i].Image), append(dislike, ranked[len(ranked)-1-i].Image)
	}
	for _, args := range [][]string{like, dislike} {
		mustRun(t, append(args, "--data", home, "--profile", "trainee", "--quiet")...)
	}
	type report struct {
		Profile string
		Version int
		Current bool
		Reason  string
		Report  struct{ Likes, Dislikes int }
	}
	got := jsonRun[report](t, "train", "--data", home, "--profile", "trainee")
	if got.Profile != "trainee" || got.Version != 1 || !got.Current || got.Report.Likes != 12 || got.Report.Dislikes != 12 {
		t.Errorf("got %+v", got)
	}
	out := mustRun(t, "train", "--data", home, "--profile", "trainee")
	if !strings.Contains(out, "Probe 2 of trainee from 12 likes and 12 dislikes") || !strings.Contains(out, "AUC") {
		t.Errorf("got %q", out)
	}
}
