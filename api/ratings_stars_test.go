package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// told is a rating, or what an undo answers.
type told struct {
	Entry    int64
	ImageID  string `json:"image_id"`
	Verdict  string
	Stars    int
	TookBack bool `json:"took_back"`
	Stands   *told
}

func (f *fixture) ask(t *testing.T, method, path, body string, into any) {
	t.Helper()
	a := f.do(t, method, path, body, "Content-Type", "application/json")
	if a.status/100 != 2 {
		t.Fatalf("%s %s %s: got %d: %s", method, path, body, a.status, a.body)
	}
	if into != nil {
		must(t, json.Unmarshal(a.body, into))
	}
}

func TestStarsAreKeptAndAnswered(t *testing.T) {
	f := newFixture(t)
	ids := f.add(t, 3, red, "Roth")
	for body, want := range map[string]told{
		`{"stars":5}`:                     {Verdict: "like", Stars: 5},
		`{"stars":3}`:                     {Verdict: "skip", Stars: 3},
		`{"stars":1,"shown":"gallery"}`:   {Verdict: "dislike", Stars: 1},
		`{"verdict":"like","stars":3}`:    {Verdict: "like", Stars: 3},
		`{"verdict":"dislike","stars":3}`: {Verdict: "dislike", Stars: 3},
		`{"verdict":"like"}`:              {Verdict: "like"},
	} {
		var put, got told
		path := "/v1/profiles/me/ratings/" + ids[0].String()
		f.ask(t, "PUT", path, body, &put)
		f.ask(t, "GET", path, "", &got)
		if want.Entry, want.ImageID = put.Entry, ids[0].String(); put != want || got != want {
			t.Errorf("%s: got %+v and then %+v, want %+v", body, put, got, want)
		}
	}
	var list struct{ Ratings []told }
	f.ask(t, "POST", "/v1/profiles/me/ratings", fmt.Sprintf(`{"ratings":[{"image_id":%q,"stars":4},{"image_id":%q,"verdict":"dislike","stars":2}]}`, ids[1], ids[2]), &list)
	if len(list.Ratings) != 2 || list.Ratings[0].Stars != 4 || list.Ratings[0].Verdict != "like" || list.Ratings[1].Stars != 2 {
		t.Errorf("together: got %+v", list.Ratings)
	}
	var image told
	if f.ask(t, "GET", "/v1/images/"+ids[1].String()+"?profile=me", "", &image); image.Stars != 4 || image.Verdict != "like" {
		t.Errorf("the image: got %+v, want 4 stars and a like", image)
	}
	for body, word := range map[string]string{`{}`: "A verdict, stars, or both", `{"stars":0}`: "stars", `{"stars":6}`: "stars", `{"stars":4.5}`: "stars", `{"stars":"4"}`: "stars"} {
		if a := f.do(t, "PUT", "/v1/profiles/me/ratings/"+ids[0].String(), body, "Content-Type", "application/json"); a.status != 400 || !strings.Contains(string(a.body), word) {
			t.Errorf("%s: got %d: %s; want 400 and a word on %q", body, a.status, a.body, word)
		}
	}
}

func TestUndoReversesATakeBackAndNamesThePicture(t *testing.T) {
	f := newFixture(t)
	ids := f.add(t, 2, red, "Roth")
	one, other := ids[0].String(), ids[1].String()
	f.ask(t, "PUT", "/v1/profiles/me/ratings/"+one, `{"stars":5}`, nil)
	f.ask(t, "PUT", "/v1/profiles/me/ratings/"+other, `{"verdict":"dislike"}`, nil)
	f.ask(t, "DELETE", "/v1/profiles/me/ratings/"+one, "", nil)
	undo := func() (u told) {
		f.ask(t, "POST", "/v1/profiles/me/undo", "", &u)
		return u
	}
	if u := undo(); u.ImageID != one || !u.TookBack || u.Verdict != "" || u.Stands == nil || u.Stands.Verdict != "like" || u.Stands.Stars != 5 {
		t.Errorf("got %+v, want that the first picture is liked again with 5 stars", u)
	}
	var now told
	if f.ask(t, "GET", "/v1/profiles/me/ratings/"+one, "", &now); now.Verdict != "like" {
		t.Errorf("got %+v, want the like", now)
	}
	if u := undo(); u.ImageID != other || u.TookBack || u.Verdict != "dislike" || u.Stands != nil {
		t.Errorf("got %+v, want the dislike of the other, which is unrated since", u)
	}
	if u := undo(); u.ImageID != one || u.Verdict != "like" || u.Stars != 5 {
		t.Errorf("got %+v, want the like of the first", u)
	}
}

func TestAnExportCarriesStars(t *testing.T) {
	f := newFixture(t)
	ids := f.add(t, 3, red, "Roth")
	for i, stars := range []palate.Stars{2, 5} {
		_, err := f.catalog.Rate(t.Context(), catalog.Rating{Profile: "me", Image: ids[i], Verdict: stars.Verdict(), Stars: stars, Shown: palate.ShownAPI})
		must(t, err)
	}
	f.rate(t, palate.Like, ids[2])
	for i, format := range []string{"ndjson", "csv", "parquet", "clip"} {
		a := f.do(t, "GET", "/v1/profiles/me/export?format="+format, "")
		into := fmt.Sprintf("copy%d", i)
		var got imported
		for _, want := range []imported{{Rows: 3, Rated: 3}, {Rows: 3, Unchanged: 3}} {
			b := f.do(t, "POST", "/v1/profiles/"+into+"/ratings-import?format="+format, string(a.body), "Content-Type", "application/octet-stream")
			if must(t, json.Unmarshal(b.body, &got)); got != want {
				t.Errorf("%s: got %+v, want %+v: %s", format, got, want, b.body)
			}
		}
		stars, err := f.catalog.StandingStars(t.Context(), palate.Profile(into), ids)
		if must(t, err); len(stars) != 2 || stars[ids[0]] != 2 || stars[ids[1]] != 5 {
			t.Errorf("%s: got the stars %v, want 2 and 5", format, stars)
		}
	}
	// Arrays have no stars: what is liked and disliked.
	for query, want := range map[string]imported{"format=npz&rated=true": {Rows: 3, Rated: 3}, "format=npz": {}} {
		a := f.do(t, "GET", "/v1/profiles/me/export?"+query, "")
		b := f.do(t, "POST", "/v1/profiles/arrays/ratings-import?format=npz", string(a.body), "Content-Type", "application/octet-stream")
		var got imported
		if must(t, json.Unmarshal(b.body, &got)); got != want || (b.status == 200) != (want.Rows > 0) {
			t.Errorf("%s: got status %d, %s, want %+v", query, b.status, b.body, want)
		}
	}
	verdicts, err := f.catalog.StandingVerdicts(t.Context(), "arrays", ids)
	if must(t, err); verdicts[ids[0]] != palate.Dislike || verdicts[ids[1]] != palate.Like || verdicts[ids[2]] != palate.Like {
		t.Errorf("got %v from arrays", verdicts)
	}
}
