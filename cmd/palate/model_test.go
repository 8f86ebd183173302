package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/test/program"
)

// modelHub answers for the file of every known model with the same content,
// as the hub does, and has the tests ask it.
func modelHub(t *testing.T, content []byte) (asked *atomic.Int64) {
	t.Helper()
	sum := sha256.Sum256(content)
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
		if len(parts) != 5 || parts[2] != "resolve" || parts[4] != "model.safetensors" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("X-Repo-Commit", parts[3])
		w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(sum[:])+`"`)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	t.Cleanup(server.Close)
	home := t.TempDir()
	for name, value := range map[string]string{"HF_ENDPOINT": server.URL, "HF_HUB_OFFLINE": "", "HF_HOME": home,
		"PALATE_MODELS": filepath.Join(home, "models")} {
		t.Setenv(name, value)
	}
	return asked
}

func TestWeightsArePulledCheckedAndRemoved(t *testing.T) {
	content := program.ReadFile(t, program.TinyModel)
	asked := modelHub(t, content)
	first := program.RunPalate(t, "model", "pull", "dino-small", "--json")
	if first.Code != exitDone || !strings.Contains(first.Err, "Apache-2.0") || !strings.Contains(first.Err, "facebookresearch/dino/") {
		t.Fatalf("got %+v, want the licence shown", first)
	}
	entry := program.JSONValues[modelEntry](t, first.Out)[0]
	if got, err := os.ReadFile(entry.File); err != nil || !bytes.Equal(got, content) || entry.State != collection.ModelHere || entry.Bytes != int64(len(content)) {
		t.Errorf("got %+v and %d bytes, %v", entry, len(got), err)
	}
	before := asked.Load()
	if again := program.RunPalate(t, "model", "pull", "dino-small"); again.Code != exitDone || strings.Contains(again.Err, "licence") || asked.Load() != before {
		t.Errorf("got %+v and %d more requests, want neither licence nor network again", again, asked.Load()-before)
	}
	if here := program.JSONRun[[]modelEntry](t, "model", "list", "--here"); len(here) != 2 || here[1].Name != "dino-small" {
		t.Errorf("got %+v, want baseline and dino-small", here)
	}
	// The file is whole. That the tiny model is not what its name says, its heads
	// tell: those that are known are of another width.
	if checked := program.JSONValues[[]collection.Verified](t, program.RunPalate(t, "model", "verify", "--json").Out)[0]; len(checked) != 1 || strings.Contains(checked[0].Problem, "damaged") || checked[0].SHA256 == "" {
		t.Errorf("got %+v, want dino-small's file found whole", checked)
	}
	damaged := slices.Clone(content)
	damaged[len(damaged)-1] ^= 1
	program.WriteFile(t, entry.File, damaged)
	r := program.RunPalate(t, "model", "verify", "dino-small")
	if r.Code != exitFailed || !strings.Contains(r.Out, "damaged") {
		t.Errorf("got %+v of a flipped bit, want it told", r)
	}
	program.MustFail(t, exitFailed, []string{"damaged", entry.File}, "embed", "--model", "dino-small", filepath.Join(program.MuseumPictures(t, 1), "0.jpg"))
	if r := program.RunPalate(t, "model", "pull", "dino-small"); r.Code != exitDone || !strings.Contains(r.Err, "anew") || !bytes.Equal(program.ReadFile(t, entry.File), content) {
		t.Errorf("got %+v of a pull over a damaged file, want it brought anew", r)
	}
	program.MustRun(t, "model", "rm", "dino-small")
	if _, err := os.Stat(entry.File); err != nil {
		t.Errorf("got %v, want the weights kept", err)
	}
	program.MustRun(t, "model", "rm", "dino-small", "--weights")
	if _, err := os.Stat(entry.File); err == nil {
		t.Error("the weights are there, want them gone")
	}
}

// The hub has other bytes under the name of a model whose hash is known.
func TestOtherWeightsThanThePinnedOnesAreRefused(t *testing.T) {
	modelHub(t, []byte("other weights"))
	program.MustFail(t, exitFailed, []string{"it is not the file that palate knows"}, "model", "pull", "dinov2-small")
	if here := program.JSONRun[[]modelEntry](t, "model", "list", "--here"); len(here) != 1 {
		t.Errorf("got %+v, want baseline alone", here)
	}
}

func TestModelsAreListedAndShown(t *testing.T) {
	out := program.MustRun(t, "model", "list")
	for _, want := range []string{"baseline", "dinov2-base", "on a GPU", "dinov2-small", "on a CPU", "eva02-base", "MIT", "1.22 GB", "not pulled", os.Getenv("HF_HOME")} {
		if !strings.Contains(out, want) {
			t.Errorf("the list does not mention %q:\n%s", want, out)
		}
	}
	out = program.MustRun(t, "model", "show", "dinov2-large")
	for _, want := range []string{"timm/vit_large_patch14_dinov2.lvd142m", "0424a5d1b515278cba3c6640ccbeaacc41de59d3a93df0dd5e494285eea2b355", "518×518", "palate model pull"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not mention %q:\n%s", want, out)
		}
	}
	program.MustFail(t, exitFailed, []string{"no model \"dinov9\"", "dinov2-base"}, "model", "show", "dinov9")
	program.MustFail(t, exitFailed, []string{"offline", "HF_HUB_OFFLINE"}, "model", "pull", "dinov2-base")
}

func TestWithoutWeightsTheBuiltInModelIsTakenAndSaysSo(t *testing.T) {
	file := filepath.Join(program.MuseumPictures(t, 1), "0.jpg")
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, environment := range map[string]map[string]string{
		"offline":     {"HF_HUB_OFFLINE": "1"},
		"unreachable": {"HF_HUB_OFFLINE": "", "HF_ENDPOINT": closed.URL},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range environment {
				t.Setenv(variable, value)
			}
			r := program.RunPalate(t, "embed", file, "--model", "auto", "--json")
			if r.Code != exitDone || program.JSONValues[collection.FileEmbedding](t, r.Out)[0].Model != models.Baseline {
				t.Fatalf("got %+v, want an embedding by baseline", r)
			}
			var notes []string
			for line := range strings.Lines(r.Err) {
				if strings.HasPrefix(line, "Note: ") {
					notes = append(notes, line)
				}
			}
			if len(notes) != 1 || !strings.Contains(notes[0], "palate embed --model dinov2-small") || !strings.Contains(notes[0], "colour and texture only") {
				t.Errorf("got notes %q, want one that says what to do", notes)
			}
		})
	}
}

func TestFoldersThatCanNotBeWrittenAreNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	program.WriteFile(t, file, []byte("no folder"))
	modelHub(t, program.ReadFile(t, program.TinyModel))
	program.MustFail(t, exitFailed, []string{file, "--models DIR"}, "model", "add", "tiny", program.TinyModel, "--models", filepath.Join(file, "models"))
	program.MustFail(t, exitFailed, []string{file, "--models DIR"}, "model", "add", "tiny", program.TinyModel, "--copy", "--models", filepath.Join(file, "models"))
	t.Setenv("HF_HUB_CACHE", filepath.Join(file, "cache"))
	program.MustFail(t, exitFailed, []string{file, "HF_HUB_CACHE"}, "model", "pull", "dino-small")
}

// Where nothing is embedded, a command that embeds nothing downloads nothing.
func TestCommandsThatEmbedNothingPullNothing(t *testing.T) {
	asked := modelHub(t, []byte("weights"))
	program.MustFail(t, exitFailed, []string{"palate rate like IMAGE"}, "train", "--model", "auto", "--data", program.EmptyHome(t))
	if r := program.RunPalate(t, "doctor", "--model", "auto", "--data", t.TempDir()); r.Code != exitDone || !strings.Contains(r.Out, "palate model pull dinov2-small") {
		t.Errorf("doctor: got %+v, want it to say what could be pulled", r)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the hub was asked %d times", n)
	}
}

func TestAnAddedModelIsCalledAsItsFile(t *testing.T) {
	t.Setenv("PALATE_MODELS", t.TempDir())
	folder := filepath.Join(t.TempDir(), "mine")
	for name, file := range map[string]string{"art-7": "art-7.safetensors", "mine": "model.safetensors"} {
		program.WriteFile(t, filepath.Join(folder, file), program.ReadFile(t, program.TinyModel))
		if got := program.JSONRun[modelEntry](t, "model", "add", filepath.Join(folder, file), "--heads", "2"); got.Name != name {
			t.Errorf("%s: got the name %q, want %q", file, got.Name, name)
		}
	}
	program.MustFail(t, exitUsage, []string{"[NAME] FILE"}, "model", "add", "tiny")
}

func TestWhatCanNotBeComputedIsToldLoudly(t *testing.T) {
	file := filepath.Join(program.MuseumPictures(t, 1), "0.jpg")
	program.MustFail(t, exitUsage, []string{"tpu", "cuda"}, "embed", file, "--device", "tpu")
	program.MustFail(t, exitUsage, []string{"--size", models.Baseline}, "embed", file, "--size", "224")
	program.MustFail(t, exitUsage, []string{"palate model add NAME"}, "embed", file, "--model", program.TinyModel)
	program.MustFail(t, exitUsage, []string{"--gpu-memory"}, "embed", file, "--gpu-memory", "-1")
	program.MustFail(t, exitUsage, []string{"--precision"}, "model", "compare", "tiny", file)
	t.Run("int8 by the environment", func(t *testing.T) {
		t.Setenv("PALATE_PRECISION", "int8")
		program.MustFail(t, exitUsage, []string{"int8 is no default", "palate model compare"}, "embed", file)
	})
	rt, err := ort.Load(t.Context(), ort.ConfigFromEnv())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rt.Choose(ort.Device{Kind: ort.DeviceCUDA}); err == nil {
		return // this machine can
	}
	program.MustFail(t, exitFailed, []string{"CUDA"}, "embed", file, "--device", "cuda")
	program.MustFail(t, exitFailed, []string{"CUDA"}, "demo", "--once", "--device", "cuda:0")
}
