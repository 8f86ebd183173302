package vit_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
)

// Files of classifiers hold the model under a prefix, with what training
// masked patches with, and heads under the prefix or beside it.
func TestHeadsAndMasksArePassedBy(t *testing.T) {
	s := spec{dim: 16, depth: 2, heads: 2, hidden: 32, patch: 4, rows: 3, columns: 3, positionPrefix: 1, layerScale: true, epsilon: 1e-6}
	parameters := randomParameters(s, rand.New(rand.NewPCG(1, 1)))
	one := []float32{1}
	for _, prefix := range []string{"", "vit.", "dinov2.", "dinov2_with_registers."} {
		tensors := style{prefix: prefix, block: "encoder.layer.", names: transformers4}.tensors(parameters)
		for _, name := range []string{prefix + "embeddings.mask_token", "classifier.weight", "classifier.bias", prefix + "pooler.dense.weight"} {
			tensors = append(tensors, safetensors.Values{Name: name, Shape: []int64{1}, Data: one})
		}
		heads := []byte(`{"num_attention_heads": 2}`)
		if a, err := vit.Inspect(memoryFile(t, tensors), heads); err != nil || a.Depth != 2 || a.Dim != 16 {
			t.Errorf("prefix %q: %v, %v", prefix, a, err)
		}
		for _, name := range []string{prefix + "embeddings.other_token", "other." + prefix + "classifier.weight", prefix + "encoder.layer.1.classifier.weight"} {
			_, err := vit.Inspect(memoryFile(t, append(tensors, safetensors.Values{Name: name, Shape: []int64{1}, Data: one})), heads)
			if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), name) {
				t.Errorf("with a tensor %q the error is %v, want one of it", name, err)
			}
		}
	}
}
