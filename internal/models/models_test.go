package models_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/vit"
)

func TestEveryKnownModelCanBeAskedFor(t *testing.T) {
	seen := make(map[string]bool)
	for _, k := range models.KnownModels() {
		if err := k.File.Validate(); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
		if len(k.File.Revision) != 40 || k.Licence.Name == "" || !strings.HasPrefix(k.Licence.URL, "https://") {
			t.Errorf("%s: got revision %q and licence %+v, want a commit and a licence with its address", k.Name, k.File.Revision, k.Licence)
		}
		// A file is its numbers in float32 and a header of less than 100 kB.
		if header := k.Bytes() - 4*k.Parameters; header < 0 || header > 100_000 {
			t.Errorf("%s: %d bytes for %d parameters", k.Name, k.Bytes(), k.Parameters)
		}
		if seen[k.Name] || seen[k.File.Repository] {
			t.Errorf("%s stands twice", k.Name)
		}
		seen[k.Name], seen[k.File.Repository] = true, true
		if got, err := models.KnownModel(k.Name); err != nil || got.Name != k.Name {
			t.Errorf("%s: got %v, %v", k.Name, got.Name, err)
		}
	}
	for _, name := range []string{models.DefaultOnCPU, models.DefaultOnGPU} {
		k, err := models.KnownModel(name)
		if err != nil || k.File.SHA256 == "" {
			t.Errorf("default %s: got %v, want it pinned by its hash", name, err)
		}
	}
	if _, err := models.KnownModel("dinov9"); !errors.Is(err, palate.ErrNotFound) || !strings.Contains(err.Error(), "dinov2-base") {
		t.Errorf("got %v, want the names that there are", err)
	}
}

func TestNamesThatMeanSomethingElseAreRefused(t *testing.T) {
	for name, want := range map[string]error{
		"tiny": nil, "My.Model-2": nil,
		"": palate.ErrInvalid, "../up": palate.ErrInvalid, "a/b": palate.ErrInvalid, "-x": palate.ErrInvalid, "a b": palate.ErrInvalid,
		"art.onnx": palate.ErrInvalid, "art.safetensors": palate.ErrInvalid,
		"auto": palate.ErrConflict, "baseline": palate.ErrConflict, "dinov2-base": palate.ErrConflict,
	} {
		if err := models.CheckName(name); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", name, err, want)
		}
	}
}

func TestSettingsFillWhatIsOpen(t *testing.T) {
	kept := models.Settings{Model: "tiny", Size: 224, Fit: embedder.FitCrop, Pool: vit.PoolClass, Resample: vit.ResampleAntialias, Numeric: embedder.NumericFloat}
	for _, tc := range []struct {
		asked  models.Settings
		agrees bool
	}{
		{models.Settings{}, true},
		{models.Settings{Model: "tiny", Size: 224}, true},
		{kept, true},
		{models.Settings{Model: "other"}, false},
		{models.Settings{Size: 518}, false},
		{models.Settings{Fit: embedder.FitWhole}, false},
		{models.Settings{Pool: vit.PoolBoth}, false},
		{models.Settings{Numeric: embedder.NumericInt8}, false},
	} {
		if got := tc.asked.Agrees(kept); got != tc.agrees {
			t.Errorf("%+v: got %v, want %v", tc.asked, got, tc.agrees)
		}
		filled := tc.asked.Or(kept)
		if tc.agrees != (filled == kept) || !tc.asked.Agrees(filled) {
			t.Errorf("%+v: got %+v", tc.asked, filled)
		}
	}
	wrong := models.Settings{Size: -1, Fit: embedder.FitPad, Pool: "max", Resample: "nearest", Numeric: "int4"}
	err := wrong.Validate()
	if !errors.Is(err, palate.ErrInvalid) {
		t.Fatalf("got %v, want ErrInvalid", err)
	}
	for _, want := range []string{"size -1", "fit", "pool", "resampling", "numeric class"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a word on %s", err, want)
		}
	}
}

const description = `{"name": "art", "licence": "CC0-1.0", "input": {"name": "pixels", "width": 8, "height": 8, "layout": "nchw"}, "fit": "stretch",
	"resample": "bicubic", "mean": [0, 0, 0], "std": [1, 1, 1], "output": {"name": "out", "pooling": "none"}, "normalise": "l2", "numeric_class": "float"}`

// noGraph is an ONNX file of a version and a producer alone; nobody runs it.
const noGraph = "\x08\x0a\x12\x04text"

// onnxFile is a model that can be added.
func onnxFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "art.onnx")
	write(t, file, noGraph)
	write(t, strings.TrimSuffix(file, ".onnx")+".json", description)
	return file
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func client(t *testing.T) *hub.Client {
	t.Helper()
	c := hub.DefaultConfig()
	c.CacheDir, c.Offline = t.TempDir(), true
	client, err := hub.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestAnAddedONNXModelIsRemembered(t *testing.T) {
	for _, copied := range []bool{false, true} {
		store := models.OpenStore(t.TempDir())
		file := onnxFile(t)
		r, err := store.Add(t.Context(), models.Addition{Name: "mine", File: file, Copy: copied})
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind != models.KindONNX || r.Description.Name != "mine" || r.Licence != "CC0-1.0" || r.Size != 8 || r.Copied != copied || (r.File == file) == copied {
			t.Errorf("got %+v", r)
		}
		again, err := models.OpenStore(store.Folder()).Local("mine")
		if err != nil {
			t.Fatal(err)
		}
		if first, second := jsonOf(t, r), jsonOf(t, again); first != second {
			t.Errorf("got %s, want %s", second, first)
		}
		source, err := store.Find("mine", client(t))
		if err != nil || source.File != r.File || source.Description == nil {
			t.Errorf("got %+v, %v", source, err)
		}
		if sum, err := source.Check(t.Context()); err != nil || sum != r.SHA256 {
			t.Errorf("got %v, %v", sum, err)
		}
		// Another file under the same name only if that is meant.
		if _, err := store.Add(t.Context(), models.Addition{Name: "mine", File: file}); !errors.Is(err, palate.ErrConflict) {
			t.Errorf("got %v, want ErrConflict", err)
		}
		if _, err := store.Add(t.Context(), models.Addition{Name: "mine", File: file, Replace: true, Copy: copied}); err != nil {
			t.Error(err)
		}
		if err := store.Remove("mine"); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Find("mine", client(t)); !errors.Is(err, palate.ErrNotFound) {
			t.Errorf("got %v after it was removed", err)
		}
		if left, _ := filepath.Glob(filepath.Join(store.Folder(), "*", "*")); len(left) > 0 {
			t.Errorf("left %v", left)
		}
		if _, err := os.Stat(file); err != nil {
			t.Errorf("the user's own file: %v", err)
		}
		if err := store.Remove("mine"); !errors.Is(err, palate.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	}
}

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAFileThatIsNoLongerTheOneThatWasAddedIsSeen(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, file string) error{
		"gone":          func(t *testing.T, file string) error { return errors.Join(os.Remove(file), palate.ErrNotFound) },
		"longer":        func(t *testing.T, file string) error { write(t, file, noGraph+"!"); return palate.ErrInvalid },
		"a flipped bit": func(t *testing.T, file string) error { write(t, file, noGraph[:7]+"T"); return palate.ErrInvalid },
	} {
		t.Run(name, func(t *testing.T) {
			store, file := models.OpenStore(t.TempDir()), onnxFile(t)
			if _, err := store.Add(t.Context(), models.Addition{Name: "mine", File: file}); err != nil {
				t.Fatal(err)
			}
			want := change(t, file)
			source, err := store.Find("mine", client(t))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := source.Check(t.Context()); err == nil || !(errors.Is(want, palate.ErrNotFound) && errors.Is(err, palate.ErrNotFound) || errors.Is(err, want)) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

func TestWhatCanNotBeAddedIsRefusedAndLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	alone := filepath.Join(folder, "alone.onnx")
	write(t, alone, noGraph)
	words := filepath.Join(folder, "words.txt")
	write(t, words, "words")
	broken := filepath.Join(folder, "broken.onnx")
	write(t, broken, noGraph)
	write(t, filepath.Join(folder, "broken.json"), `{"name": "x"}`)
	for _, tc := range []struct {
		name, want string
		addition   models.Addition
		kind       error
	}{
		{"a folder, and a regular file is needed", "none.onnx", models.Addition{Name: "mine", File: filepath.Join(folder, "none.onnx")}, palate.ErrNotFound},
		{"a folder", "2 files that could be the model", models.Addition{Name: "mine", File: folder}, palate.ErrInvalid},
		{"no model", "words.txt", models.Addition{Name: "mine", File: words}, palate.ErrInvalid},
		{"no description", "description", models.Addition{Name: "mine", File: alone}, palate.ErrNotFound},
		{"broken description", "broken.json", models.Addition{Name: "mine", File: broken}, palate.ErrInvalid},
		{"flags for onnx", "flags", models.Addition{Name: "mine", File: onnxFile(t), Heads: 2}, palate.ErrInvalid},
		{"taken name", "knows", models.Addition{Name: "dino-base", File: onnxFile(t)}, palate.ErrConflict},
	} {
		t.Run(tc.name, func(t *testing.T) {
			store := models.OpenStore(t.TempDir())
			tc.addition.Copy = true
			if _, err := store.Add(t.Context(), tc.addition); !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %v with %q", err, tc.kind, tc.want)
			}
			if left, _ := filepath.Glob(filepath.Join(store.Folder(), "*", "*")); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestABrokenRecordIsToldAndHidesNoOther(t *testing.T) {
	store := models.OpenStore(t.TempDir())
	if _, err := store.Add(t.Context(), models.Addition{Name: "good", File: onnxFile(t)}); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"cut": `{"format": 1, "name": "cut"`, "newer": `{"format": 2, "name": "newer"}`, "other": `{"format": 1, "name": "another"}`,
		"unknown": `{"format": 1, "name": "unknown", "colour": 1}`, "two": `{"format": 1} {}`,
	} {
		write(t, filepath.Join(store.Folder(), "local", name+".json"), text)
		if _, err := store.Local(name); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), name+".json") {
			t.Errorf("%s: got %v, want ErrInvalid and the file", name, err)
		}
	}
	records, err := store.Locals()
	if len(records) != 1 || records[0].Name != "good" || !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("got %v, %v; want the good one and what is wrong with the others", records, err)
	}
}

func TestWhatIsNotPulledSaysHowToGetIt(t *testing.T) {
	store := models.OpenStore(t.TempDir())
	_, err := store.Find("dino-small", client(t))
	var missing *models.NotPulledError
	if !errors.As(err, &missing) || missing.Model != "dino-small" || !errors.Is(err, palate.ErrNotFound) || !strings.Contains(err.Error(), "palate model pull dino-small") {
		t.Errorf("got %v", err)
	}
	if _, err := store.Find("nothing", client(t)); !errors.Is(err, palate.ErrNotFound) || !strings.Contains(err.Error(), "palate model add nothing") {
		t.Errorf("got %v", err)
	}
}

// Of some models no hash was published: the first bytes that came are the ones
// that all later ones are held against.
func TestTheFirstBytesAreHeldToWhereNoHashWasPublished(t *testing.T) {
	store := models.OpenStore(t.TempDir())
	k, err := models.KnownModel("dino-small")
	if err != nil {
		t.Fatal(err)
	}
	if file, err := store.Pinned(k); err != nil || file != k.File || file.SHA256 != "" {
		t.Errorf("got %+v, %v before it came", file, err)
	}
	sum := strings.Repeat("5", 64)
	if err := store.RecordHub(k, models.Weights{Size: 12, SHA256: sum}); err != nil {
		t.Fatal(err)
	}
	file, err := store.Pinned(k)
	if err != nil || file.SHA256 != sum || file.Size != 12 {
		t.Errorf("got %+v, %v; want what came", file, err)
	}
	a, known, err := store.HubRecord("dino-small")
	if err != nil || !known || a.LicenceShown != "Apache-2.0" {
		t.Errorf("got %+v, %v, %v", a, known, err)
	}
	if err := store.Forget("dino-small"); err != nil {
		t.Fatal(err)
	}
	if file, err := store.Pinned(k); err != nil || !slices.Equal([]hub.File{file}, []hub.File{k.File}) {
		t.Errorf("got %+v, %v after it was forgotten", file, err)
	}
}
