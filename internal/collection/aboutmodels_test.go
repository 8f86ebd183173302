package collection_test

import (
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/models"
)

// What has no weights, or hides them in operators, is not offered for training.
func TestWhyAModelCantBeTrainedIsToldOfIt(t *testing.T) {
	for what, tc := range map[string]struct {
		entry collection.KnownOfModel
		says  string // empty where nothing is known against it
	}{
		"built in":      {collection.AboutBaseline(), "formulas"},
		"an .onnx file": {collection.AboutLocal(models.Record{Name: "graph", Kind: models.KindONNX, File: "graph.onnx"}), ".onnx"},
		"tensors":       {collection.AboutLocal(models.Record{Name: "mine", Kind: models.KindSafetensors, File: "mine.safetensors"}), ""},
	} {
		if got := tc.entry.Untrainable; !strings.Contains(got, tc.says) || (got == "") != (tc.says == "") {
			t.Errorf("%s: got %q, want that it says %q", what, got, tc.says)
		}
	}
}
