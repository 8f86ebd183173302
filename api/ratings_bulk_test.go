package api_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/palate-art/palate"
)

func TestTheSameRatingAgainIsOneEntryOfTheLog(t *testing.T) {
	f := newFixture(t)
	id := f.add(t, 1, red, "Roth")[0].String()
	path := "/v1/profiles/me/ratings/" + id
	var entries []int64
	for _, body := range []string{`{"verdict":"like"}`, `{"verdict":"like"}`, `{"verdict":"like","shown":"api"}`, `{"verdict":"dislike"}`, `{"verdict":"like"}`} {
		a := f.do(t, "PUT", path, body, "Content-Type", "application/json")
		var r struct{ Entry int64 }
		must(t, json.Unmarshal(a.body, &r))
		entries = append(entries, r.Entry)
	}
	if entries[0] != entries[1] || entries[1] != entries[2] || entries[3] == entries[2] || entries[4] == entries[0] {
		t.Errorf("got the entries %v, want one for what is said again and others for what is not", entries)
	}
	log, err := f.catalog.RatingLog(t.Context(), palate.DefaultProfile, 0, 100)
	must(t, err)
	if len(log) != 3 {
		t.Errorf("the log has %d entries, want 3", len(log))
	}
}

func TestManyRatingsAreKeptTogetherOrNotAtAll(t *testing.T) {
	f := newFixture(t)
	ids := f.add(t, 3, red, "Roth")
	body := func(last string) string {
		return fmt.Sprintf(`{"ratings":[{"image_id":%q,"verdict":"like"},{"image_id":%q,"verdict":"dislike","shown":"queue:top","probe_version":2,"score":0.5},{"image_id":%q,"verdict":"skip"}]}`, ids[0], ids[1], last)
	}
	const path = "/v1/profiles/me/ratings"
	if a := f.do(t, "POST", path, body("00000000-0000-8000-8000-000000000000"), "Content-Type", "application/json"); a.status != 404 {
		t.Errorf("one image is not there: got %d: %s", a.status, a.body)
	}
	var standing struct {
		Ratings []struct {
			Entry   int64
			ImageID string `json:"image_id"`
			Verdict string
			Score   *float64
		}
	}
	must(t, json.Unmarshal(f.do(t, "GET", path, "").body, &standing))
	if len(standing.Ratings) != 0 {
		t.Errorf("of a refused list %d ratings are kept", len(standing.Ratings))
	}
	var first, again = standing, standing
	for _, answer := range []any{&first, &again} {
		a := f.do(t, "POST", path, body(ids[2].String()), "Content-Type", "application/json")
		if a.status != 200 {
			t.Fatalf("got %d: %s", a.status, a.body)
		}
		must(t, json.Unmarshal(a.body, answer))
	}
	for i, want := range []string{"like", "dislike", "skip"} {
		got := first.Ratings[i]
		if got.ImageID != ids[i].String() || got.Verdict != want || again.Ratings[i].Entry != got.Entry {
			t.Errorf("rating %d: got %+v, then entry %d; want %s of %s, once", i, got, again.Ratings[i].Entry, want, ids[i])
		}
	}
	if score := first.Ratings[1].Score; score == nil || *score != .5 {
		t.Errorf("got the score %v, want 0.5", score)
	}
}
