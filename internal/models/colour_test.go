package models_test

import (
	"errors"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/models"
)

func TestParseColour(t *testing.T) {
	if got, err := models.ParseColour(".485, 0.456,1"); err != nil || *got != [3]float64{.485, .456, 1} {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := models.ParseColour(""); got != nil || err != nil {
		t.Errorf("nothing: got %v, %v", got, err)
	}
	for _, text := range []string{"1", "1,2", "1,2,3,4", "1,,3", "a,b,c", "1;2;3"} {
		if _, err := models.ParseColour(text); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%q: got %v, want palate.ErrInvalid", text, err)
		}
	}
}
