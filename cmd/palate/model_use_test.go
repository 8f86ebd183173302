package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/demo"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

func TestAnAddedModelEmbedsFiles(t *testing.T) {
	program.AddTiny(t)
	entry := program.JSONRun[modelEntry](t, "model", "show", "tiny")
	if entry.State != collection.ModelHere || entry.Preprocess == nil || entry.Preprocess.Size != 56 || !strings.Contains(entry.Architecture, "dinov2, 64 wide, 3 blocks, 2 heads") {
		t.Errorf("got %+v, want what its tensors and config.json say", entry)
	}
	file := filepath.Join(program.MuseumPictures(t, 1), "0.jpg")
	embedding := func(flags ...string) collection.FileEmbedding {
		t.Helper()
		return program.JSONRun[collection.FileEmbedding](t, append([]string{"embed", file, "--model", "tiny"}, flags...)...)
	}
	plain := embedding()
	var sum float64
	for _, v := range plain.Vector {
		sum += float64(v) * float64(v)
	}
	if plain.Model != "tiny" || len(plain.Vector) != 64 || math.Abs(sum-1) > 1e-5 {
		t.Errorf("got %d values of norm %v by %q, want 64 of norm 1 by tiny", len(plain.Vector), math.Sqrt(sum), plain.Model)
	}
	for name, flags := range map[string][]string{
		"what is the default": {"--size", "56", "--fit", "crop", "--pool", "cls", "--precision", "float32", "--device", "cpu"},
	} {
		if got := embedding(flags...); got.ModelID != plain.ModelID || math.Abs(cosine(got.Vector, plain.Vector)-1) > 1e-6 {
			t.Errorf("%s: got %s, want the same function as %s", name, got.ModelID, plain.ModelID)
		}
	}
	seen := map[string]string{string(plain.ModelID): "the default"}
	for name, tc := range map[string]struct {
		flags []string
		dim   int
	}{
		"another size":  {[]string{"--size", "84"}, 64},
		"all of it":     {[]string{"--fit", "whole"}, 64},
		"the mean":      {[]string{"--pool", "mean"}, 64},
		"both":          {[]string{"--pool", "both"}, 128},
		"whole numbers": {[]string{"--precision", "int8"}, 64},
	} {
		got := embedding(tc.flags...)
		if other := seen[string(got.ModelID)]; other != "" || len(got.Vector) != tc.dim {
			t.Errorf("%s: got %d values and the ModelID of %s, want %d and its own", name, len(got.Vector), other, tc.dim)
		}
		seen[string(got.ModelID)] = name
	}
	program.MustFail(t, exitFailed, []string{"57", "14"}, "embed", file, "--model", "tiny", "--size", "57")
}

func TestTheDemoRunsWithAnAddedModel(t *testing.T) {
	race.Long(t)
	program.AddTiny(t)
	report := program.JSONRun[demo.Report](t, "demo", "--once", "--pictures", "30", "--ratings", "24", "--model", "tiny")
	if report.Model != "tiny" || report.Embedded != 30 || report.Indexed != 30 || report.Probe.NeverRated != 6 {
		t.Errorf("got %+v", report)
	}
}

func TestAutoGoesOnWithTheCollectionsModel(t *testing.T) {
	program.AddTiny(t)
	pictures, home := program.MuseumPictures(t, 3), t.TempDir()
	embed := func(flags ...string) (ingest.EmbedReport, string) {
		t.Helper()
		r := program.RunPalate(t, append([]string{"embed", "--json", "--data", home}, flags...)...)
		if r.Code != exitDone {
			t.Fatalf("palate embed %v: %s", flags, r.Err)
		}
		return program.JSONValues[ingest.EmbedReport](t, r.Out)[0], r.Err
	}
	program.MustRun(t, "import", "--data", home, filepath.Join(pictures, "0.jpg"), filepath.Join(pictures, "1.jpg"))
	if first, _ := embed("--model", "tiny", "--size", "84"); first.Embedded != 2 {
		t.Fatalf("got %+v, want two embedded", first)
	}
	program.MustRun(t, "import", "--data", home, filepath.Join(pictures, "2.jpg"))
	r, said := embed("--model", "auto")
	if r.Embedded != 1 || !strings.Contains(said, "Model tiny at 84×84") || !strings.Contains(said, "palate embed --model dinov2-small") {
		t.Errorf("auto: got %+v and %q, want the one new image by tiny, and how to have another", r, said)
	}
	if r, _ := embed("--model", "tiny"); r.Embedded != 0 {
		t.Errorf("by name: got %+v, want the collection's size and nothing to do", r)
	}
	kept := program.JSONRun[collection.FileEmbedding](t, "embed", filepath.Join(pictures, "0.jpg"), "--data", home, "--model", "auto")
	if same := program.JSONRun[collection.FileEmbedding](t, "embed", filepath.Join(pictures, "0.jpg"), "--model", "tiny", "--size", "84"); kept.ModelID != same.ModelID {
		t.Errorf("a file: got %s, want the collection's %s", kept.ModelID, same.ModelID)
	}
	if r, _ := embed("--model", "tiny", "--size", "56"); r.Embedded != 3 {
		t.Errorf("another size: got %+v, want all three anew", r)
	}
	// What was asked for with auto goes over the rest of what it was.
	if r, said := embed("--model", "auto", "--pool", "mean"); r.Embedded != 3 || !strings.Contains(said, "Model tiny at 56×56, fit crop, pool mean") {
		t.Errorf("auto with a flag: got %+v and %q", r, said)
	}
	embed("--model", "tiny", "--size", "56", "--pool", "cls")
	// The newest of those with the most embeddings is the one that goes on.
	if r, said := embed("--model", "auto"); r.Embedded != 0 || !strings.Contains(said, "Model tiny at 56×56, fit crop, pool mean") {
		t.Errorf("auto again: got %+v and %q", r, said)
	}
	// Other weights under the same name are not the collection's model.
	changed := program.ReadFile(t, program.TinyModel)
	changed[len(changed)-1] ^= 1
	folder := t.TempDir()
	program.WriteFile(t, filepath.Join(folder, "model.safetensors"), changed)
	program.MustRun(t, "model", "add", "tiny", filepath.Join(folder, "model.safetensors"), "--replace", "--heads", "2")
	program.MustFail(t, exitFailed, []string{"another tiny", "--model tiny"}, "embed", "--data", home, "--model", "auto")
	program.MustRun(t, "model", "rm", "tiny")
	program.MustFail(t, exitFailed, []string{`"tiny"`}, "embed", "--data", home, "--model", "auto")
}

func TestInt8IsMeasuredBeforeItEmbeds(t *testing.T) {
	program.AddTiny(t)
	pictures, home := program.MuseumPictures(t, 3), t.TempDir()
	var files []string
	for _, name := range []string{"0.jpg", "1.jpg", "2.jpg"} {
		files = append(files, filepath.Join(pictures, name))
	}
	got := program.JSONRun[collection.Comparison](t, append([]string{"model", "compare", "tiny", "--precision", "int8"}, files...)...)
	if got.Pictures != 3 || len(got.Files) != 3 || !(got.Min > .9 && got.Min <= got.Mean && got.Mean < 1-1e-9) {
		t.Errorf("got %+v, want three cosines near 1 and not 1", got)
	}
	if r := program.RunPalate(t, "embed", files[0], "--model", "tiny", "--precision", "int8", "--quiet"); !strings.Contains(r.Err, "cosine") {
		t.Errorf("got %+v of a file, want the cosine shown", r)
	}
	program.MustRun(t, append([]string{"import", "--data", home}, files...)...)
	r := program.RunPalate(t, "embed", "--data", home, "--model", "tiny", "--precision", "int8")
	if r.Code != exitDone || !strings.Contains(r.Err, "cosine") || !strings.Contains(r.Err, "on 3 pictures") {
		t.Errorf("got %+v, want the cosine shown", r)
	}
	// The collection goes on with it: that was asked for once.
	r = program.RunPalate(t, "embed", "--data", home, "--model", "auto", "--json")
	if report := program.JSONValues[ingest.EmbedReport](t, r.Out); r.Code != exitDone || len(report) != 1 || report[0].Total != 0 {
		t.Errorf("got %+v, want nothing to do", r)
	}
}

func TestHostileWeightsAreRefusedInASentence(t *testing.T) {
	t.Setenv("PALATE_MODELS", t.TempDir())
	good := program.ReadFile(t, program.TinyModel)
	for name, content := range map[string][]byte{
		"empty":            {},
		"cut":              good[:len(good)/2],
		"a huge header":    append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, good[8:]...),
		"no header at all": []byte(strings.Repeat("words ", 100)),
		"no transformer":   append([]byte{2, 0, 0, 0, 0, 0, 0, 0}, "{}"...),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "model.safetensors")
			program.WriteFile(t, file, content)
			program.MustFail(t, exitFailed, []string{file}, "model", "add", "bad", file)
			if _, err := os.Stat(filepath.Join(os.Getenv("PALATE_MODELS"), "local", "bad.json")); err == nil {
				t.Error("it was added")
			}
		})
	}
}

func TestAnONNXModelCanBeAdded(t *testing.T) {
	t.Setenv("PALATE_MODELS", t.TempDir())
	graph, description := baseline.Model()
	text, err := json.Marshal(description)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "art.onnx")
	program.WriteFile(t, file, graph)
	program.WriteFile(t, strings.TrimSuffix(file, ".onnx")+".json", text)
	picture := filepath.Join(program.MuseumPictures(t, 1), "0.jpg")
	byFile := program.JSONRun[collection.FileEmbedding](t, "embed", picture, "--model", file)
	for _, flags := range [][]string{nil, {"--copy", "--replace"}} {
		program.MustRun(t, append([]string{"model", "add", "art", file}, flags...)...)
		byName := program.JSONRun[collection.FileEmbedding](t, "embed", picture, "--model", "art")
		if byName.Model != "art" || byName.ModelID != byFile.ModelID || !slices.Equal(byName.Vector, byFile.Vector) {
			t.Errorf("got %s by %s, want %s and its values", byName.ModelID, byName.Model, byFile.ModelID)
		}
	}
	home := t.TempDir()
	program.MustRun(t, "import", "--data", home, picture)
	program.MustRun(t, "embed", "--data", home, "--model", file)
	if kept := program.JSONRun[collection.FileEmbedding](t, "embed", picture, "--data", home, "--model", "auto", "--precision", "float32"); kept.ModelID != byFile.ModelID {
		t.Errorf("auto: got %s, want the collection's %s", kept.ModelID, byFile.ModelID)
	}
	program.MustFail(t, exitFailed, []string{"description"}, "embed", picture, "--model", "art", "--size", "224")
}

// cosine is of two embeddings, whose norms are 1 but for rounding.
func cosine(x, y palate.Embedding) float64 {
	var dot float64
	for i := range x {
		dot += float64(x[i]) * float64(y[i])
	}
	return dot
}
