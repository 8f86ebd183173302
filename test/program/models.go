package program

import (
	"testing"
)

// TinyModel is a DINOv2 with random weights.
const TinyModel = "../../internal/models/testdata/tiny/model.safetensors"

// AddTiny adds the model with random weights, to a folder of the test's own.
func AddTiny(t *testing.T, flags ...string) {
	t.Helper()
	t.Setenv("PALATE_MODELS", t.TempDir())
	MustRun(t, append([]string{"model", "add", "tiny", TinyModel}, flags...)...)
}
