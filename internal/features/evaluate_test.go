package features_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/features"
	"github.com/palate-art/palate/probe"
)

// rowsFile writes rows as .npy, those of one value as a column.
func rowsFile(t *testing.T, rows [][]float32) string {
	t.Helper()
	var body []byte
	for _, row := range rows {
		for _, v := range row {
			body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
		}
	}
	shape := fmt.Sprintf("(%d, %d)", len(rows), len(rows[0]))
	if len(rows[0]) == 1 {
		shape = fmt.Sprintf("(%d,)", len(rows))
	}
	path := filepath.Join(t.TempDir(), "rows.npy")
	if err := os.WriteFile(path, npy(1, dict("<f4", shape), body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExamplesAreOfLengthOneWithWhatIsBesideThem(t *testing.T) {
	rows, labels := rowsFile(t, [][]float32{{3, 4}, {0, 2}}), rowsFile(t, [][]float32{{1}, {0}})
	files := features.Files{Features: rows, Labels: labels, Patches: rowsFile(t, [][]float32{{0, 0, 5}, {1, 0, 0}})}
	examples, err := files.Examples()
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) != 2 || !examples[0].Liked || examples[1].Liked || examples[0].Embedding[0] != .6 || examples[0].Embedding[1] != .8 {
		t.Errorf("got %+v", examples)
	}
	if got := examples[0].Features[probe.MeanPatch]; len(got) != 3 || got[2] != 1 {
		t.Errorf("got the patches %v", got)
	}
	for want, wrong := range map[string]features.Files{
		"has 1 rows, but":     {Features: rows, Labels: labels, Baseline: rowsFile(t, [][]float32{{1, 1}})},
		"row 1 of":            {Features: rowsFile(t, [][]float32{{1, 0}, {0, 0}}), Labels: labels},
		"which is no embeddi": {Features: rows, Labels: labels, Patches: rowsFile(t, [][]float32{{0, 0}, {1, 1}})},
	} {
		if _, err := wrong.Examples(); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := files.Evaluate(t.Context(), probe.DefaultConfig()); !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), "too few") {
		t.Errorf("two labels: got %v", err)
	}
}
