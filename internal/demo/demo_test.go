package demo_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/demo"
	"github.com/palate-art/palate/internal/models"
)

func open(t *testing.T) *collection.Collection {
	t.Helper()
	config := collection.DefaultConfig(filepath.Join(t.TempDir(), "palate"), t.TempDir())
	config.Models.Asked = models.Settings{Model: models.Baseline}
	config.Temporary = true
	c, err := collection.Open(t.Context(), config, collection.Silent{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestADemoTellsWhatItDid(t *testing.T) {
	const pictures, rated = 30, 24
	c := open(t)
	d := demo.New(c, demo.Config{Pictures: pictures, Version: "test", Visit: demo.Visit{Profile: "visitor", Ratings: rated, Seed: 1}})
	defer d.Close()
	r, err := d.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Kept != pictures || r.Images != pictures || r.Embedded != pictures || r.Indexed != pictures || r.Model != models.Baseline {
		t.Errorf("got %+v", r)
	}
	if r.Ratings.Likes+r.Ratings.Dislikes != rated || len(r.Liked) != 3 || r.Probe.NeverRated != pictures-rated || len(r.Top) != 10 {
		t.Errorf("got %+v with %d at the top", r.Visited, len(r.Top))
	}
	profiles, err := c.Catalog.Profiles(t.Context())
	if err != nil || len(profiles) != 1 || profiles[0].Likes != r.Ratings.Likes || profiles[0].Dislikes != r.Ratings.Dislikes {
		t.Errorf("got the profiles %+v, %v, want the ratings of the report, %+v", profiles, err, r.Ratings)
	}
	if len(r.Stages) != 8 || len(r.ByStage) != 8 {
		t.Errorf("got the stages %v", r.Stages)
	}
	var told map[string]json.RawMessage
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &told)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"pages", "kept", "liked_styles", "ratings", "probe", "neighbors", "top", "stage_seconds", "seconds"} {
		if _, there := told[key]; !there {
			t.Errorf("programs don't get %q", key)
		}
	}
	for _, top := range r.Top {
		if top.Style == "" || top.Title == "" {
			t.Errorf("got %+v, want its style and title", top)
		}
	}
}

func TestADemoThatIsStoppedNamesTheStage(t *testing.T) {
	d := demo.New(open(t), demo.Config{Pictures: 8, Version: "test", Visit: demo.Visit{Profile: "visitor", Ratings: 6, Seed: 1}})
	defer d.Close()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := d.Run(ctx); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "demo: runtime and model: ") {
		t.Errorf("got %v", err)
	}
}
