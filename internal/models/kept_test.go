package models_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/picture"
)

// keptBy643e7ab is the row of palate at 643e7ab, before the format had a version.
const keptBy643e7ab = `{"name":"baseline","version":"1","licence":"Apache-2.0","input":{"name":"pixels","width":192,"height":192,"layout":"nchw"},"fit":"stretch","resample":"bicubic","mean":[0,0,0],"std":[1,1,1],"output":{"name":"descriptor","pooling":"none"},"normalise":"l2","numeric_class":"float","settings":{"model":"baseline"}}`

func TestWhatIsKeptOfAModelComesBack(t *testing.T) {
	_, description := baseline.Model()
	want := models.Kept{Description: description, Settings: models.Settings{Model: models.Baseline, Numeric: embedder.NumericFloat, Rules: picture.Current()}}
	kept, err := want.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var version struct{ Format int }
	if err := json.Unmarshal(kept, &version); err != nil || version.Format != 1 {
		t.Errorf("got the version %d, %v, want 1", version.Format, err)
	}
	got, err := models.ParseKept("baseline", kept)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := got.JSON(); err != nil || string(again) != string(kept) || got.Settings != want.Settings {
		t.Errorf("got %s, %v, want %s", again, err, kept)
	}
}

func TestWhatOlderPalatesKeptOfAModelIsRead(t *testing.T) {
	former := models.Settings{Model: models.Baseline, Numeric: embedder.NumericFloat, Rules: picture.Former}
	for name, tt := range map[string]struct {
		model, kept string
		want        models.Settings
		err         error
	}{
		"643e7ab":               {"baseline", keptBy643e7ab, former, nil},
		"before settings":       {"baseline", `{"name":"baseline"}`, former, nil},
		"nothing":               {"baseline", ``, former, nil},
		"another, no settings":  {"mine", `{"name":"mine"}`, models.Settings{Numeric: embedder.NumericFloat, Rules: picture.Former}, nil},
		"a newer format":        {"baseline", `{"format":2,"settings":{"model":"baseline"}}`, former, palate.ErrConflict},
		"rules of a newer one":  {"baseline", `{"settings":{"model":"baseline","preprocessing":"9:unheard"}}`, former, palate.ErrConflict},
		"no JSON":               {"baseline", `half`, former, palate.ErrInvalid},
		"settings of no object": {"baseline", `{"settings":7}`, former, palate.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := models.ParseKept(tt.model, json.RawMessage(tt.kept))
			if !errors.Is(err, tt.err) || got.Settings != tt.want {
				t.Errorf("got %+v, %v, want %+v, %v", got.Settings, err, tt.want, tt.err)
			}
		})
	}
}
