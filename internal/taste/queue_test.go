package taste_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/taste"
)

func (f *fixture) queue(t *testing.T, p palate.Profile, n int) taste.Queue {
	t.Helper()
	q, err := f.tastes.Queue(t.Context(), p, n)
	must(t, err)
	return q
}

func TestTheQueueAsksOnlyWhatIsNew(t *testing.T) {
	f := newFixture(t, 300, nil)
	f.rate(t, "me", f.ids[:60]...)
	skipped := f.ids[60:80]
	for _, id := range skipped {
		_, err := f.catalog.Rate(t.Context(), catalog.Rating{Profile: "me", Image: id, Verdict: palate.Skip, Shown: palate.ShownGallery})
		must(t, err)
	}
	f.follow(t)
	f.train(t, "me")
	seen := make(map[palate.ImageID]bool)
	kinds := make(map[palate.Shown]int)
	for range 3 {
		q := f.queue(t, "me", 10)
		if len(q.Choices) != 10 || q.Version != 1 {
			t.Fatalf("%d pictures by version %d, want 10 by 1", len(q.Choices), q.Version)
		}
		for _, c := range q.Choices {
			if seen[c.ID] || slices.Contains(f.ids[:80], c.ID) {
				t.Errorf("%v was judged, skipped or asked about before", c.ID)
			}
			seen[c.ID] = true
			kinds[c.Shown]++
			current, err := f.tastes.Current(t.Context(), "me")
			must(t, err)
			if want := current.Learned.Score(f.vector[c.ID]); math.Abs(c.Score-want) > 1e-5 {
				t.Errorf("%v has score %v, want %v", c.ID, c.Score, want)
			}
		}
	}
	// .8, .1 and .1 of thirty, each queue off by one at most.
	for kind, want := range map[palate.Shown]int{palate.ShownQueueUncertain: 24, palate.ShownQueueExplore: 3, palate.ShownQueueTop: 3} {
		if got := kinds[kind]; got < want-3 || got > want+3 {
			t.Errorf("%d of %s, want about %d", got, kind, want)
		}
	}
	// Another profile has a queue of its own, before any probe.
	q := f.queue(t, "you", 10)
	if len(q.Choices) != 10 || q.Version != 0 {
		t.Errorf("%d pictures by version %d, want 10 by none", len(q.Choices), q.Version)
	}
	for _, n := range []int{0, taste.MaxQueue + 1} {
		if _, err := f.tastes.Queue(t.Context(), "me", n); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%d pictures: got %v, want ErrInvalid", n, err)
		}
	}
}

func TestTheQueueEndsWhenAllIsJudged(t *testing.T) {
	f := newFixture(t, 60, nil)
	f.rate(t, "me", f.ids[:57]...)
	got := make(map[palate.ImageID]bool)
	for range 3 {
		for _, c := range f.queue(t, "me", 10).Choices {
			got[c.ID] = true
		}
	}
	for id := range got {
		if !slices.Contains(f.ids[57:], id) {
			t.Errorf("%v is judged", id)
		}
	}
	if len(got) == 0 {
		t.Error("nothing is asked though three are left")
	}
	f.rate(t, "me", f.ids[57:]...)
	if q := f.queue(t, "me", 10); len(q.Choices) != 0 {
		t.Errorf("%d pictures though all are judged", len(q.Choices))
	}
}

func TestWhyShowsWhatIsNear(t *testing.T) {
	f := newFixture(t, 120, nil)
	f.rate(t, "me", f.ids[:60]...)
	liked := f.ids[60] // of style 0
	r, err := f.tastes.Why(t.Context(), "me", liked, 4)
	must(t, err)
	if r.Score == nil || r.Score.Chance() != nil || len(r.Liked) != 4 || len(r.Disliked) != 4 {
		t.Fatalf("score %v, %d liked, %d disliked, want a provisional one, 4 and 4", r.Score, len(r.Liked), len(r.Disliked))
	}
	for i, hit := range r.Liked {
		if f.verdict(hit.ID) != palate.Like || f.verdict(r.Disliked[i].ID) != palate.Dislike || hit.Score <= r.Disliked[i].Score {
			t.Errorf("place %d: liked %v (%v), disliked %v (%v)", i, hit.ID, hit.Score, r.Disliked[i].ID, r.Disliked[i].Score)
		}
	}
	f.train(t, "me")
	if r, err = f.tastes.Why(t.Context(), "me", liked, 4); err != nil || r.Version != 1 || r.Score == nil || r.Score.Probability < .5 {
		t.Errorf("with a probe: %+v, %v", r, err)
	}
	if _, err := f.tastes.Why(t.Context(), "me", palate.ImageID{1}, 4); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("of no image: got %v, want ErrNotFound", err)
	}
}

// Queues that are chosen among what was drawn for an earlier one do not give
// what was deleted or judged since.
func TestTheQueueForgetsWhatIsGone(t *testing.T) {
	f := newFixture(t, 300, nil)
	f.rate(t, "me", f.ids[:60]...)
	f.train(t, "me")
	f.queue(t, "me", 10)
	gone := make(map[palate.ImageID]bool)
	for i, id := range f.ids[60:] {
		switch {
		case i%2 == 0:
			gone[id] = true
			must(t, f.catalog.DeleteImage(t.Context(), id, "test"))
		case i%8 == 1:
			gone[id] = true
			f.rate(t, "me", id)
		}
	}
	f.follow(t)
	for range 4 {
		q := f.queue(t, "me", 10)
		if len(q.Choices) != 10 {
			t.Errorf("%d pictures, want 10", len(q.Choices))
		}
		for _, c := range q.Choices {
			if gone[c.ID] {
				t.Errorf("%v was deleted or judged", c.ID)
			}
		}
	}
}
