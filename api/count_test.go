package api_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/palate-art/palate"
)

// The total of a list is how many a client finds that reads all pages with the
// same filter, whichever page it is asked for with.
func TestTheTotalOfAListIsThatOfAllPages(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 7, red, "Roth"), f.add(t, 4, blue, "Blau")
	f.rate(t, palate.Like, reds[:5]...)
	f.rate(t, palate.Dislike, blues[:3]...)
	f.rate(t, palate.Skip, reds[1]) // no like any more
	var middle time.Time
	for i, id := range []palate.ImageID{reds[6], blues[3], reds[5]} {
		if i == 2 {
			middle = time.Now()
		}
		must(t, f.collection.Remove(t.Context(), id, "test"))
	}
	for _, tt := range []struct {
		path, query string
		want        int
	}{
		{"/v1/images", "", 8},
		{"/v1/images", "artist=Roth", 5},
		{"/v1/images", "artist=Roth&judged=unrated", 1},
		{"/v1/images", "judged=disliked&order=oldest", 3},
		{"/v1/images", "q=夜&year_from=1908", 3},
		{"/v1/images", "damaged=true", 0},
		{"/v1/images", "external_id=M%2F3", 1},
		{"/v1/profiles/me/ratings", "", 8},
		{"/v1/profiles/me/ratings", "verdict=like", 4},
		{"/v1/profiles/me/ratings", "verdict=skip", 1},
		{"/v1/profiles/nobody/ratings", "", 0},
		{"/v1/trash", "", 3},
		{"/v1/trash", "deleted_before=" + middle.UTC().Format(time.RFC3339Nano), 2},
	} {
		found, cursor := 0, ""
		for page := 0; page == 0 || cursor != ""; page++ {
			query, err := url.ParseQuery(tt.query + "&limit=2")
			must(t, err)
			if tt.path == "/v1/trash" {
				query.Set("limit", "1000") // its pages go by time
			}
			if cursor != "" {
				query.Set("cursor", cursor)
			}
			for _, count := range []string{"true", "false", ""} {
				query.Set("count", count)
				if count == "" {
					query.Del("count")
				}
				var list struct {
					Images, Ratings []any
					Total           *int
					Next            string `json:"next_cursor"`
				}
				a := f.do(t, "GET", tt.path+"?"+query.Encode(), "")
				must(t, json.Unmarshal(a.body, &list))
				switch {
				case a.status != 200, (list.Total != nil) != (count == "true"), list.Total != nil && *list.Total != tt.want:
					t.Errorf("%s?%s: got status %d and the total %v, want %d where it is asked for: %.200s", tt.path, query.Encode(), a.status, list.Total, tt.want, a.body)
				}
				if count == "" {
					found, cursor = found+len(list.Images)+len(list.Ratings), list.Next
				}
			}
		}
		if found != tt.want {
			t.Errorf("%s?%s: all pages have %d, want %d", tt.path, tt.query, found, tt.want)
		}
	}
}

// The totals of a ranking and of jobs are those of their lists.
func TestARankingAndJobsAreCounted(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 9, red, "Roth"), f.add(t, 9, blue, "Blau")
	f.rate(t, palate.Like, reds[:6]...)
	if a := f.do(t, "GET", "/v1/profiles/me/scores?count=true&limit=2&judged=unrated", ""); a.field(t, "total") != 12.0 {
		t.Errorf("of a provisional order: got %s", a.body)
	}
	f.rate(t, palate.Dislike, blues[:6]...)
	f.learn(t)
	for query, want := range map[string]any{"": nil, "&count=true": 18.0, "&count=true&artist=Roth": 9.0, "&count=true&judged=unrated&min_probability=0.5": 3.0, "&count=true&min_probability=1": 0.0} {
		if got := f.do(t, "GET", "/v1/profiles/me/scores?limit=2"+query, "").field(t, "total"); got != want {
			t.Errorf("scores%s: got %v, want %v", query, got, want)
		}
	}
	if a := f.do(t, "GET", "/v1/profiles/me/scores?count=true&collapse=0.95", ""); a.status != 400 {
		t.Errorf("with collapse: got %d", a.status)
	}
	for range 3 {
		_, _, err := f.catalog.StartRun(t.Context(), "import", "")
		must(t, err)
	}
	var all struct{ Jobs []any }
	must(t, json.Unmarshal(f.do(t, "GET", "/v1/jobs?limit=200", "").body, &all))
	if a := f.do(t, "GET", "/v1/jobs?count=true&limit=1", ""); len(all.Jobs) < 3 || a.field(t, "total") != float64(len(all.Jobs)) {
		t.Errorf("jobs: got %.300s, want a total of %d", a.body, len(all.Jobs))
	}
}
