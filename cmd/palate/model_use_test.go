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
	"github.com/palate-art/palate/internal/ingest"
)

// addTiny adds the model with random weights, to a folder of the test's own.
func addTiny(t *testing.T, flags ...string) {
	t.Helper()
	t.Setenv("PALATE_MODELS", t.TempDir())
	mustRun(t, append([]string{"model", "add", "tiny", tinyModel}, flags...)...)
}

func TestAnAddedModelEmbedsFiles(t *testing.T) {
	addTiny(t)
	entry := jsonRun[modelEntry](t, "model", "show", "tiny")
	if entry.State != collection.ModelHere || entry.Preprocess == nil || entry.Preprocess.Size != 56 || !strings.Contains(entry.Architecture, "dinov2, 64 wide, 3 blocks, 2 heads") {
		t.Errorf("got %+v, want what its tensors and config.json say", entry)
	}
	file := filepath.Join(museumPictures(t, 1), "0.jpg")
	embedding := func(flags ...string) fileEmbedding {
		t.Helper()
		return jsonRun[fileEmbedding](t, append([]string{"embed", file, "--model", "tiny"}, flags...)...)
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
	mustFail(t, exitFailed, []string{"57", "14"}, "embed", file, "--model", "tiny", "--size", "57")
}

func TestTheDemoRunsWithAnAddedModel(t *testing.T) {
	addTiny(t)
	report := jsonRun[demoReport](t, "demo", "--once", "--pictures", "30", "--ratings", "24", "--model", "tiny")
	if report.Model != "tiny" || report.Embedded != 30 || report.Indexed != 30 || report.Probe.NeverRated != 6 {
		t.Errorf("got %+v", report)
	}
}

func TestAutoGoesOnWithTheCollectionsModel(t *testing.T) {
	addTiny(t)
	pictures, home := museumPictures(t, 3), t.TempDir()
	embed := func(flags ...string) (ingest.EmbedReport, string) {
		t.Helper()
		r := runPalate(t, append([]string{"embed", "--json", "--data", home}, flags...)...)
		if r.code != exitDone {
			t.Fatalf("palate embed %v: %s", flags, r.err)
		}
		return jsonValues[ingest.EmbedReport](t, r.out)[0], r.err
	}
	mustRun(t, "import", "--data", home, filepath.Join(pictures, "0.jpg"), filepath.Join(pictures, "1.jpg"))
	if first, _ := embed("--model", "tiny", "--size", "84"); first.Embedded != 2 {
		t.Fatalf("got %+v, want two embedded", first)
	}
	mustRun(t, "import", "--data", home, filepath.Join(pictures, "2.jpg"))
	r, said := embed("--model", "auto")
	if r.Embedded != 1 || !strings.Contains(said, "Model tiny at 84×84") || !strings.Contains(said, "palate embed --model dinov2-small") {
		t.Errorf("auto: got %+v and %q, want the one new image by tiny, and how to have another", r, said)
	}
	if r, _ := embed("--model", "tiny"); r.Embedded != 0 {
		t.Errorf("by name: got %+v, want the collection's size and nothing to do", r)
	}
	kept := jsonRun[fileEmbedding](t, "embed", filepath.Join(pictures, "0.jpg"), "--data", home, "--model", "auto")
	if same := jsonRun[fileEmbedding](t, "embed", filepath.Join(pictures, "0.jpg"), "--model", "tiny", "--size", "84"); kept.ModelID != same.ModelID {
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
	changed := readFile(t, tinyModel)
	changed[len(changed)-1] ^= 1
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "model.safetensors"), changed)
	mustRun(t, "model", "add", "tiny", filepath.Join(folder, "model.safetensors"), "--replace", "--heads", "2")
	mustFail(t, exitFailed, []string{"another tiny", "--model tiny"}, "embed", "--data", home, "--model", "auto")
	mustRun(t, "model", "rm", "tiny")
	mustFail(t, exitFailed, []string{`"tiny"`}, "embed", "--data", home, "--model", "auto")
}

func TestInt8IsMeasuredBeforeItEmbeds(t *testing.T) {
	addTiny(t)
	pictures, home := museumPictures(t, 3), t.TempDir()
	var files []string
	for _, name := range []string{"0.jpg", "1.jpg", "2.jpg"} {
		files = append(files, filepath.Join(pictures, name))
	}
	got := jsonRun[collection.Comparison](t, append([]string{"model", "compare", "tiny", "--precision", "int8"}, files...)...)
	if got.Pictures != 3 || len(got.Files) != 3 || !(got.Min > .9 && got.Min <= got.Mean && got.Mean < 1-1e-9) {
		t.Errorf("got %+v, want three cosines near 1 and not 1", got)
	}
	if r := runPalate(t, "embed", files[0], "--model", "tiny", "--precision", "int8", "--quiet"); !strings.Contains(r.err, "cosine") {
		t.Errorf("got %+v of a file, want the cosine shown", r)
	}
	mustRun(t, append([]string{"import", "--data", home}, files...)...)
	r := runPalate(t, "embed", "--data", home, "--model", "tiny", "--precision", "int8")
	if r.code != exitDone || !strings.Contains(r.err, "cosine") || !strings.Contains(r.err, "on 3 pictures") {
		t.Errorf("got %+v, want the cosine shown", r)
	}
	// The collection goes on with it: that was asked for once.
	r = runPalate(t, "embed", "--data", home, "--model", "auto", "--json")
	if report := jsonValues[ingest.EmbedReport](t, r.out); r.code != exitDone || len(report) != 1 || report[0].Total != 0 {
		t.Errorf("got %+v, want nothing to do", r)
	}
}

func TestHostileWeightsAreRefusedInASentence(t *testing.T) {
	t.Setenv("PALATE_MODELS", t.TempDir())
	good := readFile(t, tinyModel)
	for name, content := range map[string][]byte{
		"empty":            {},
		"cut":              good[:len(good)/2],
		"a huge header":    append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, good[8:]...),
		"no header at all": []byte(strings.Repeat("words ", 100)),
		"no transformer":   append([]byte{2, 0, 0, 0, 0, 0, 0, 0}, "{}"...),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "model.safetensors")
			writeFile(t, file, content)
			mustFail(t, exitFailed, []string{file}, "model", "add", "bad", file)
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
	writeFile(t, file, graph)
	writeFile(t, strings.TrimSuffix(file, ".onnx")+".json", text)
	picture := filepath.Join(museumPictures(t, 1), "0.jpg")
	byFile := jsonRun[fileEmbedding](t, "embed", picture, "--model", file)
	for _, flags := range [][]string{nil, {"--copy", "--replace"}} {
		mustRun(t, append([]string{"model", "add", "art", file}, flags...)...)
		byName := jsonRun[fileEmbedding](t, "embed", picture, "--model", "art")
		if byName.Model != "art" || byName.ModelID != byFile.ModelID || !slices.Equal(byName.Vector, byFile.Vector) {
			t.Errorf("got %s by %s, want %s and its values", byName.ModelID, byName.Model, byFile.ModelID)
		}
	}
	home := t.TempDir()
	mustRun(t, "import", "--data", home, picture)
	mustRun(t, "embed", "--data", home, "--model", file)
	if kept := jsonRun[fileEmbedding](t, "embed", picture, "--data", home, "--model", "auto", "--precision", "float32"); kept.ModelID != byFile.ModelID {
		t.Errorf("auto: got %s, want the collection's %s", kept.ModelID, byFile.ModelID)
	}
	mustFail(t, exitFailed, []string{"description"}, "embed", picture, "--model", "art", "--size", "224")
}

// cosine is of two embeddings, whose norms are 1 but for rounding.
func cosine(x, y palate.Embedding) float64 {
	var dot float64
	for i := range x {
		dot += float64(x[i]) * float64(y[i])
	}
	return dot
}
