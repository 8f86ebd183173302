package api_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api/client"
)

// train starts a training by the API, waits for its end and returns the job.
func (f *fixture) train(t *testing.T, c *client.Client, profile string, begun func(*http.Response, error), kinds ...client.ProbeKind) int64 {
	t.Helper()
	params := &client.TrainProbeParams{}
	for _, kind := range kinds {
		params.Kind = &kind
	}
	response, err := c.TrainProbe(t.Context(), profile, params)
	begun(response, err)
	var job client.Job
	must(t, json.NewDecoder(response.Body).Decode(&job))
	if want := fmt.Sprintf("/v1/jobs/%d", job.ID); response.Header.Get("Location") != want {
		t.Errorf("Location is %q, want %q", response.Header.Get("Location"), want)
	}
	for deadline := time.Now().Add(time.Minute); job.State == client.JobStateRunning; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the training does not end")
		}
		must(t, json.Unmarshal(f.do(t, "GET", fmt.Sprintf("/v1/jobs/%d", job.ID), "").body, &job))
	}
	if job.State != client.JobStateSucceeded {
		t.Fatalf("the training ended as %s: %v", job.State, job.Error)
	}
	return job.ID
}

func (f *fixture) learn(t *testing.T, kinds ...client.ProbeKind) {
	t.Helper()
	c, err := client.NewClient(f.url)
	must(t, err)
	f.train(t, c, string(palate.DefaultProfile), func(_ *http.Response, err error) { must(t, err) }, kinds...)
}

type scorePage struct {
	Scores []struct {
		Image struct {
			ID     string `json:"id"`
			Artist string `json:"artist"`
		} `json:"image"`
		Score       float64  `json:"score"`
		Probability *float64 `json:"probability"`
	} `json:"scores"`
	Next         string `json:"next_cursor"`
	ProbeVersion int    `json:"probe_version"`
	NewerVersion int    `json:"newer_version"`
	Provisional  struct {
		Likes, Dislikes int
		Note            string
	}
}

func (f *fixture) scores(t *testing.T, query string) (scorePage, answer) {
	t.Helper()
	a := f.do(t, "GET", "/v1/profiles/me/scores?"+query, "")
	var page scorePage
	if a.status == 200 {
		must(t, json.Unmarshal(a.body, &page))
	}
	return page, a
}

func TestScoresRankTheLikedKindFirstPageByPage(t *testing.T) {
	for _, kind := range []client.ProbeKind{"logistic", "knn", "blend"} {
		t.Run(string(kind), func(t *testing.T) { rankedPageByPage(t, kind) })
	}
}

func rankedPageByPage(t *testing.T, kind client.ProbeKind) {
	f := newFixture(t)
	reds, blues := f.add(t, 15, red, "Roth"), f.add(t, 15, blue, "Blau")
	f.rate(t, palate.Like, reds[:7]...)
	f.rate(t, palate.Dislike, blues[:7]...)
	f.learn(t, kind)
	var serving client.Probe
	must(t, json.Unmarshal(f.do(t, "GET", "/v1/profiles/me/probe", "").body, &serving))
	if serving.Kind == nil || *serving.Kind != string(kind) {
		t.Errorf("the probe's kind is %v, want %s", serving.Kind, kind)
	}
	if a := f.do(t, "POST", "/v1/profiles/me/probe?kind=oracle", ""); a.status != 400 {
		t.Errorf("an unknown kind: got %d, want 400", a.status)
	}
	whole, _ := f.scores(t, "limit=200")
	if len(whole.Scores) != 30 || whole.Next != "" {
		t.Fatalf("got %d scores and next %q, want 30 on one page", len(whole.Scores), whole.Next)
	}
	for i, s := range whole.Scores {
		if want := map[bool]string{true: "Roth", false: "Blau"}[i < 15]; s.Image.Artist != want {
			t.Errorf("place %d is by %s, want %s", i, s.Image.Artist, want)
		}
		if i > 0 && s.Score > whole.Scores[i-1].Score || i > 0 && *s.Probability > *whole.Scores[i-1].Probability {
			t.Errorf("place %d scores higher than the place before it", i)
		}
	}
	page, at := scorePage{}, 0
	for query := "limit=7"; query != ""; {
		page, _ = f.scores(t, query)
		for _, s := range page.Scores {
			if s.Image.ID != whole.Scores[at].Image.ID {
				t.Errorf("paged place %d differs from the whole list", at)
			}
			at++
		}
		query = ""
		if page.Next != "" {
			query = "limit=7&cursor=" + page.Next
		}
	}
	if at != 30 {
		t.Errorf("the pages have %d images, want 30", at)
	}
	middle := *whole.Scores[20].Probability
	above, _ := f.scores(t, fmt.Sprintf("limit=200&min_probability=%.17g", middle))
	if len(above.Scores) != 20 {
		t.Errorf("%d images are above the probability of place 20, want 20", len(above.Scores))
	}
	for query, want := range map[string]int{"judged=unrated": 16, "judged=rated": 14, "judged=liked": 7, "judged=disliked": 7, "artist=Roth": 15, "artist=Roth&artist=Blau": 30, "year_from=1901&year_to=1903": 3} {
		if got, _ := f.scores(t, "limit=200&"+query); len(got.Scores) != want {
			t.Errorf("%s: got %d, want %d", query, len(got.Scores), want)
		}
	}
}

func TestACursorGoesOnInItsRanking(t *testing.T) {
	f := newFixture(t)
	f.rate(t, palate.Like, f.add(t, 8, red, "Roth")...)
	f.rate(t, palate.Dislike, f.add(t, 8, blue, "Blau")...)
	f.learn(t)
	whole, _ := f.scores(t, "limit=16")
	page, _ := f.scores(t, "limit=3")
	f.learn(t)
	next, _ := f.scores(t, "limit=13&cursor="+page.Next)
	if len(next.Scores) != 13 || next.ProbeVersion != 1 || next.NewerVersion != 2 {
		t.Fatalf("got %d images by version %d, newer %d, want 13 by 1, newer 2", len(next.Scores), next.ProbeVersion, next.NewerVersion)
	}
	for i, score := range next.Scores {
		if want := whole.Scores[3+i]; score.Image.ID != want.Image.ID {
			t.Errorf("place %d is %s, want %s", 4+i, score.Image.ID, want.Image.ID)
		}
	}
	for _, cursor := range []string{"AAAA", "MS4w", "MS4xMDAwMA", "MS4wMw", "cDAuMw", "cDEuMA", "MC4z"} {
		if _, a := f.scores(t, "cursor="+cursor); a.status != http.StatusBadRequest {
			t.Errorf("cursor %s: got %d, want 400", cursor, a.status)
		}
	}
	// The version is gone together with its profile.
	f.do(t, "DELETE", "/v1/profiles/me", "")
	f.rate(t, palate.Like, f.add(t, 1, red, "Roth")...)
	if _, a := f.scores(t, "limit=3&cursor="+page.Next); a.status != http.StatusOK {
		t.Errorf("without any probe: got %d, want 200 in the provisional order: %s", a.status, a.body)
	}
}

// Favourites alone order a collection, without a chance.
func TestLikesAloneGiveAProvisionalOrder(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 8, red, "Roth"), f.add(t, 8, blue, "Blau")
	f.rate(t, palate.Like, reds[:6]...)
	page, a := f.scores(t, "limit=10&judged=unrated")
	if a.status != http.StatusOK || page.Provisional.Likes != 6 || page.Provisional.Dislikes != 0 || page.ProbeVersion != 0 ||
		!strings.Contains(page.Provisional.Note, "6 likes alone") || !strings.Contains(page.Provisional.Note, "5 more dislikes") {
		t.Fatalf("got %d: %s", a.status, a.body)
	}
	if !strings.Contains(string(a.body), `"probability":null`) || page.Scores[0].Probability != nil {
		t.Errorf("the chance must be null: %s", a.body)
	}
	if page.Scores[0].Image.Artist != "Roth" || page.Scores[1].Image.Artist != "Roth" || page.Scores[2].Image.Artist != "Blau" {
		t.Errorf("the two reds that are left come first: %s", a.body)
	}
	if a := f.do(t, "GET", "/v1/profiles/me/scores?min_probability=.5", ""); a.status != http.StatusConflict || !strings.Contains(string(a.body), "no chance of a like can be told yet") {
		t.Errorf("min_probability: got %d: %s", a.status, a.body)
	}
	// It is paged, and goes on in its order when a taste is learned meanwhile.
	whole, _ := f.scores(t, "limit=16")
	page, _ = f.scores(t, "limit=3")
	if one := f.do(t, "GET", "/v1/profiles/me/scores/"+page.Scores[0].Image.ID, ""); !strings.Contains(string(one.body), `"provisional":true`) {
		t.Errorf("one score: %s", one.body)
	}
	f.rate(t, palate.Dislike, blues[:6]...)
	f.learn(t)
	next, _ := f.scores(t, "limit=13&cursor="+page.Next)
	if len(next.Scores) != 13 || next.NewerVersion != 1 || next.Provisional.Likes != 6 {
		t.Fatalf("got %d images, newer %d, by %d likes, want 13, 1 and 6", len(next.Scores), next.NewerVersion, next.Provisional.Likes)
	}
	for i, score := range next.Scores {
		if want := whole.Scores[3+i]; score.Image.ID != want.Image.ID {
			t.Errorf("place %d is %s, want %s", 4+i, score.Image.ID, want.Image.ID)
		}
	}
	if page, _ := f.scores(t, "limit=3"); page.ProbeVersion != 1 || page.Scores[0].Probability == nil {
		t.Errorf("with dislikes a taste takes over: got version %d", page.ProbeVersion)
	}
}

func TestARatingIsSeenByTheIndexAtOnce(t *testing.T) {
	f := newFixture(t)
	ids := f.add(t, 3, red, "Roth")
	near := func() int {
		a := f.do(t, "GET", "/v1/images/"+ids[0].String()+"/neighbours?judged=unrated", "")
		return len(a.field(t, "hits").([]any))
	}
	if got := near(); got != 2 {
		t.Fatalf("got %d neighbours, want the 2 others", got)
	}
	path := "/v1/profiles/me/ratings/" + ids[1].String()
	for i, step := range []struct {
		method, body string
		want         int
	}{
		{"PUT", `{"verdict":"like"}`, 1}, {"PUT", `{"verdict":"dislike"}`, 1}, {"PUT", `{"verdict":"skip"}`, 2},
		{"PUT", `{"verdict":"like"}`, 1}, {"DELETE", "", 2},
	} {
		f.do(t, step.method, path, step.body, "Content-Type", "application/json")
		if got := near(); got != step.want {
			t.Errorf("step %d: got %d unrated neighbours, want %d", i, got, step.want)
		}
	}
}

func TestPatchesOfThePictureAddUpToItsScore(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 9, red, "Roth"), f.add(t, 9, blue, "Blau")
	f.rate(t, palate.Like, reds[:6]...)
	f.rate(t, palate.Dislike, blues[:6]...)
	f.learn(t)
	for _, id := range []palate.ImageID{reds[0], blues[8]} {
		path := "/v1/profiles/me/scores/" + id.String()
		var score client.Score
		var heat client.HeatMap
		must(t, json.Unmarshal(f.do(t, "GET", path, "").body, &score))
		must(t, json.Unmarshal(f.do(t, "GET", path+"/heatmap", "").body, &heat))
		sum := heat.Rest
		for _, v := range heat.Patches {
			sum += v
		}
		if !heat.Exact || len(heat.Patches) != heat.Columns*heat.Rows || heat.Columns != 4 ||
			math.Abs(sum-score.Score) > 1e-5 || math.Abs(heat.Score-score.Score) > 1e-5 || heat.ProbeVersion != 1 {
			t.Errorf("the patches and the rest are %v, the score is %v; got %+v", sum, score.Score, heat)
		}
	}
}

func TestListsShowOneOfWhatIsAlike(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 9, red, "Roth"), f.add(t, 9, blue, "Blau")
	f.rate(t, palate.Like, reds[:6]...)
	f.rate(t, palate.Dislike, blues[:6]...)
	f.learn(t)
	page, _ := f.scores(t, "collapse=0.95")
	if len(page.Scores) != 2 || page.Scores[0].Image.Artist != "Roth" || page.Scores[1].Image.Artist != "Blau" {
		t.Errorf("got %+v, want the best red and the best blue", page.Scores)
	}
	if page, _ = f.scores(t, "collapse=0.95&limit=1"); len(page.Scores) != 1 || page.Next == "" {
		t.Fatalf("got %+v, want a page of one and a cursor", page)
	}
	if page, _ = f.scores(t, "collapse=0.95&limit=1&cursor="+page.Next); len(page.Scores) != 1 || page.Scores[0].Image.Artist != "Blau" || page.Next != "" {
		t.Errorf("got %+v, want the best blue and no more", page)
	}
	for path, want := range map[string]int{"": 20, "?collapse=0.95": 2} {
		var near client.HitList
		must(t, json.Unmarshal(f.do(t, "GET", "/v1/images/"+reds[0].String()+"/neighbours"+path, "").body, &near))
		if len(near.Hits) != min(want, 17) {
			t.Errorf("%q: got %d neighbours, want %d", path, len(near.Hits), want)
		}
	}
	if _, a := f.scores(t, "collapse=0.5"); a.status != 400 {
		t.Errorf("too low: got status %d, want 400", a.status)
	}
}
