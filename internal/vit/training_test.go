package vit_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/onnxgraph/autodiff"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/test/race"
)

// trainingFeature runs the training form's way forward.
func trainingFeature(t *testing.T, g golden, pixels ort.Tensor, pool vit.Pool) ([]float32, error) {
	t.Helper()
	m, err := vit.OpenTrainable(t.Context(), g.weights, g.a, int(pixels.Shape[3]), int(pixels.Shape[2]))
	if err != nil {
		return nil, err
	}
	tape := autodiff.New("forward")
	weights := m.Inputs(tape)
	tape.Output("feature", m.Feature(tape, tape.Input("images", pixels.Shape...), weights, pool, nil))
	inputs := map[string]ort.Tensor{"images": pixels}
	for _, p := range m.Parameters {
		inputs[p.Name] = ort.Tensor{Shape: p.Shape, Data: p.Data}
	}
	file, err := tape.Model().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ort.Load(context.Background(), ort.ConfigFromEnv())
	if err != nil {
		t.Fatal(err)
	}
	session, err := r.NewSession(file, ort.DefaultSessionConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	out, err := session.Run(t.Context(), inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out["feature"].Data, nil
}

// The training form computes what the publishers' own programs do, or says
// that the family has none.
func TestTheTrainingFormComputesWhatTimmAndTransformersDo(t *testing.T) {
	race.Long(t)
	trained := 0
	for _, folder := range goldenFolders(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			g := openGolden(t, folder)
			for _, name := range g.cases {
				pixels, tokens, feature := g.tensor(t, name+".input"), g.tensor(t, name+".tokens"), g.tensor(t, name+".feature")
				for _, pool := range []vit.Pool{vit.PoolClass, vit.PoolBoth, vit.PoolMean} {
					if g.a.PooledNorm {
						pool = vit.PoolMean
					}
					got, err := trainingFeature(t, g, pixels, pool)
					if err != nil {
						if !errors.Is(err, palate.ErrInvalid) {
							t.Fatal(err)
						}
						return // a family without a training form
					}
					trained++
					want := feature.Data
					if !g.a.PooledNorm {
						want = pooled(tokens, g.a.PrefixTokens(), pool)
					}
					width := len(got) / int(pixels.Shape[0])
					if off, cosine := difference(got, want, width); off > 2e-5 || cosine < 1-1e-9 {
						t.Errorf("%s %s: error %.3g, cosine 1-%.3g", name, pool, off, 1-cosine)
					}
				}
			}
		})
	}
	if trained < 24 {
		t.Errorf("%d cases were computed, want at least 24", trained)
	}
}

func TestATrainableModelNamesItsTensorsAsPublished(t *testing.T) {
	for _, folder := range goldenFolders(t) {
		g := openGolden(t, folder)
		m, err := vit.OpenTrainable(t.Context(), g.weights, g.a, 2*g.a.PatchSize, 3*g.a.PatchSize)
		if err != nil {
			continue
		}
		seen := make(map[string]bool)
		for _, p := range m.Parameters {
			if seen[p.Name] {
				t.Errorf("%s: %s twice", folder, p.Name)
			}
			seen[p.Name] = true
			if n := fmt.Sprint(len(p.Data)); n != fmt.Sprint(elementsOf(p.Shape)) {
				t.Errorf("%s: %s has shape %v and %s numbers", folder, p.Name, p.Shape, n)
			}
			if p.Layer < 0 || p.Layer > g.a.Depth+1 {
				t.Errorf("%s: %s is of layer %d", folder, p.Name, p.Layer)
			}
		}
	}
	g := openGolden(t, "testdata/timm-dinov2")
	if _, err := vit.OpenTrainable(t.Context(), g.weights, g.a, 15, 28); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("an input that patches don't fill: got %v, want ErrInvalid", err)
	}
}

func elementsOf(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return n
}
