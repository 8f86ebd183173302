package tuning_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/tuning"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// A fine-tuned model that has embedded everything serves where it is named,
// until ratings that nobody has seen show that it is better.
func TestAFineTunedModelTakesOverByUnseenRatings(t *testing.T) {
	race.Long(t)
	home := stripes(t, 120)
	all := unrateLast(t, home, 60)
	program.MustRun(t, "embed", "--data", home, "--model", "tiny", "--size", "28") // where stripes blur
	program.JSONRun[map[string]any](t, "train", "--data", home, "--profile", "me", "--model", "auto")
	r := program.JSONRun[tuning.Result](t, tuningOf(home, "mine", "--size", "56", "--epochs", "8", "--lr", "2e-3")...)
	if r.Model == "" {
		t.Fatalf("no model was made: %+v", r.History)
	}
	program.MustRun(t, "embed", "--data", home, "--model", "mine")
	serving := func() string {
		return program.JSONRun[[]scoreLine](t, "scores", "--data", home, "--profile", "me", "--model", "auto")[0].Image
	}
	take := func() collection.TakeOver {
		return program.JSONRun[collection.TakeOver](t, "finetune", "takeover", "mine", "--data", home, "--profile", "me")
	}
	before := serving()
	if got := take(); got.Serves || got.Unseen != 0 || !strings.Contains(got.Reason, "rate more") {
		t.Errorf("without new ratings: got %+v", got)
	}
	// The verdicts are noise at first, so that neither is better.
	rate(t, home, all, func(i int) bool { return i%2 == 0 })
	if got := take(); got.Serves || got.Unseen != 60 || got.Difference > 1.65*got.StandardError {
		t.Errorf("with new ratings by chance: got %+v, want that what served goes on", got)
	}
	if now := serving(); now != before {
		t.Errorf("what serves has changed: %s is first, it was %s", now, before)
	}
	// Then they are what the stripes say, of which the model that serves sees little.
	rate(t, home, all, func(i int) bool { return all[i].liked })
	got := take()
	if better := got.Difference > 1.6449*got.StandardError; !better || !got.Serves || got.Upgrade == nil || got.Unseen != 60 || got.Likes != 20 {
		t.Fatalf("got %+v, want that the trained model takes over", got)
	}
	served := program.JSONRun[fileEmbedding](t, "embed", firstPicture(t), "--data", home, "--model", "auto")
	if served.ModelID != r.ModelID {
		t.Errorf("auto embeds by %s, want the fine-tuned %s", served.ModelID, r.ModelID)
	}
	if again := take(); !again.Serves || again.Reason != "it serves already" {
		t.Errorf("again: got %+v", again)
	}
	program.MustFail(t, program.ExitFailed, []string{"not fine-tuned"}, "finetune", "takeover", "tiny", "--data", home, "--profile", "me")
}

func firstPicture(t *testing.T) string { return filepath.Join(program.MuseumPictures(t, 1), "0.jpg") }

type judgedPicture struct {
	id    palate.ImageID
	liked bool
}

// unrateLast takes the ratings of n pictures back and returns what they were.
func unrateLast(t *testing.T, home string, n int) []judgedPicture {
	t.Helper()
	c := openCatalog(t, home)
	ratings := program.Must(c.StandingRatings(t.Context(), "me", catalog.RatingQuery{Limit: 1000}))(t)
	var all []judgedPicture
	likes, dislikes := n/3, n-n/3
	for _, r := range ratings {
		liked := r.Verdict == palate.Like
		left := &dislikes
		if liked {
			left = &likes
		}
		if *left == 0 {
			continue
		}
		*left--
		all = append(all, judgedPicture{r.Image, liked})
		if err := c.ClearRating(t.Context(), "me", r.Image); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func rate(t *testing.T, home string, all []judgedPicture, liked func(i int) bool) {
	t.Helper()
	c := openCatalog(t, home)
	for i, p := range all {
		verdict := palate.Dislike
		if liked(i) {
			verdict = palate.Like
		}
		program.Must(c.Rate(t.Context(), catalog.Rating{Profile: "me", Image: p.id, Verdict: verdict, Shown: palate.ShownGallery}))(t)
	}
}

func openCatalog(t *testing.T, home string) *sqlite.Catalog {
	t.Helper()
	c := program.Must(sqlite.Open(t.Context(), filepath.Join(home, "catalog.db"), sqlite.DefaultConfig()))(t)
	t.Cleanup(func() { _ = c.Close() })
	return c
}
