package tuning_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/tuning"
)

func TestHowPicturesAreVaried(t *testing.T) {
	for text, want := range map[string]struct {
		mirror bool
		crop   float64
	}{"mirror": {true, 0}, "crop": {false, .8}, "mirror,crop": {true, .8}, "crop,mirror": {true, .8}, "none": {false, 0}} {
		var a tuning.Asked
		if err := a.Vary(text); err != nil || *a.Mirror != want.mirror || *a.Crop != want.crop {
			t.Errorf("%s: got %+v, %v", text, a, err)
		}
	}
	for _, text := range []string{"", "mirror,none", "none,none", "flip", "mirror,", "mirror crop"} {
		var a tuning.Asked
		if err := a.Vary(text); !errors.Is(err, palate.ErrInvalid) || a.Mirror != nil || a.Crop != nil {
			t.Errorf("%q: got %+v, %v, want palate.ErrInvalid", text, a, err)
		}
	}
}

func TestWhereATrainingStandsIsSaid(t *testing.T) {
	for want, s := range map[string]tuning.Status{
		"step 3 of at most 9: loss 0.500":            {Step: 3, Steps: 9, Loss: .5},
		"epoch 0, the probe: held-out loss 0.700":    {Ended: &finetune.Epoch{HeldLoss: .7}},
		"epoch 2 of at most 5: loss 0.100":           {Epochs: 5, Ended: &finetune.Epoch{Number: 2, TrainLoss: .1}},
		"; 4 steps were left out, as their gradient": {Epochs: 5, Ended: &finetune.Epoch{Number: 2, Skipped: 4}},
	} {
		if got := s.Words(); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}
