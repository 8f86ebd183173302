package tuning_test

import (
	"os"
	"testing"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/tuning"
	"github.com/palate-art/palate/internal/vit"
)

// A run has as many pictures as there is memory for; blocks are computed twice
// where else not one would fit, unless somebody said whether they are.
func TestARunFitsIntoMemory(t *testing.T) {
	const folder = "../models/testdata/tiny/"
	file, err := safetensors.OpenFile(folder + "model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	config, err := os.ReadFile(folder + "config.json")
	if err != nil {
		t.Fatal(err)
	}
	a, err := vit.Inspect(file, config)
	if err != nil {
		t.Fatal(err)
	}
	m, err := vit.OpenTrainable(t.Context(), file, a, 112, 112)
	if err != nil {
		t.Fatal(err)
	}
	enough := func(batch int, twice bool) int64 {
		p := finetune.DefaultPlan()
		p.Batch, p.CheckpointBlocks = batch, twice
		return int64(float64(p.MemoryBytes(m))/tuning.MemoryShare) + 1
	}
	yes, no := true, false
	for name, tc := range map[string]struct {
		available int64
		asked     *bool
		batch     int
		twice     bool
	}{
		"not known":                   {0, nil, 8, false},
		"plenty":                      {1 << 40, nil, 8, false},
		"for a whole step":            {enough(8, false), nil, 8, false},
		"for half of it":              {enough(8, false) - 2, nil, 4, false},
		"for one":                     {enough(1, false), nil, 1, false},
		"for one twice":               {enough(1, true), nil, 1, true},
		"for none":                    {1, nil, 1, true},
		"less, and asked for":         {enough(4, true), &yes, 4, true},
		"plenty and asked for":        {1 << 40, &yes, 8, true},
		"for one twice, not so asked": {enough(1, true), &no, 1, false},
	} {
		plan := finetune.DefaultPlan()
		plan.CheckpointBlocks = tc.asked != nil && *tc.asked
		got := tuning.Asked{CheckpointBlocks: tc.asked}.Fitted(plan, m, 8, tc.available)
		if got.Batch != tc.batch || got.CheckpointBlocks != tc.twice {
			t.Errorf("%s: got %d at a time, blocks twice %v, want %d and %v", name, got.Batch, got.CheckpointBlocks, tc.batch, tc.twice)
		}
	}
}
