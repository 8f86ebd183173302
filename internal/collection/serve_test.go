package collection_test

import (
	"errors"
	"testing"
	"time"

	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/models"
)

func TestALastingErrorIsToldOnce(t *testing.T) {
	start := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	var c collection.Complaint
	told := 0
	for second := range 3600 { // the same error of one picture after the other
		err := errors.New("the device is gone: picture " + string(rune('a'+second%26)))
		if c.Due(err, start.Add(time.Duration(second)*time.Second)) {
			told++
		}
	}
	if told != 6 {
		t.Errorf("told %d times in an hour, want once in ten minutes", told)
	}
	same := errors.New("no space left")
	c.Over()
	if !c.Due(same, start) || c.Due(same, start.Add(24*time.Hour)) {
		t.Error("the same error is not told exactly once")
	}
	if !c.Over() || c.Over() {
		t.Error("what is over is not told exactly once")
	}
	if !c.Due(same, start) {
		t.Error("an error after a success is not told")
	}
}

// The built-in model is found by its name among those of a catalog.
func TestTheBuiltInModelHasOneName(t *testing.T) {
	if _, description := baseline.Model(); description.Name != models.Baseline || baseline.Name != models.Baseline {
		t.Errorf("it describes itself as %q and is asked for as %q", description.Name, models.Baseline)
	}
}
