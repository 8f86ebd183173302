package api_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/palate-art/palate"
)

// listed is what a snapshot says, with its entries unpacked.
type listed struct {
	ID           string
	Total        int
	ProbeVersion int `json:"probe_version"`
	NewerVersion int `json:"newer_version"`
	Provisional  *struct{ Note string }
	ExpiresAt    time.Time `json:"expires_at"`

	ids     []palate.ImageID
	shapes  []uint16
	chances []byte
}

func (f *fixture) snapshot(t *testing.T, body string) (l listed) {
	t.Helper()
	made := f.do(t, "POST", "/v1/profiles/me/snapshots", body, "Content-Type", "application/json")
	if made.status != 201 {
		t.Fatalf("%s: got status %d: %s", body, made.status, made.body)
	}
	must(t, json.Unmarshal(made.body, &l))
	path := made.header.Get("Location")
	if want := "/v1/profiles/me/snapshots/" + l.ID; path != want {
		t.Errorf("got Location %q, want %q", path, want)
	}
	packed := f.do(t, "GET", path+"/entries", "").body
	n := l.Total
	if len(packed) != 8+19*n || string(packed[:4]) != "PLS1" || int(binary.LittleEndian.Uint32(packed[4:])) != n {
		t.Fatalf("%s: %d bytes that begin with %q, want PLS1 and %d images", body, len(packed), packed[:min(8, len(packed))], n)
	}
	for i := range n {
		l.ids = append(l.ids, palate.ImageID(packed[8+16*i:]))
		l.shapes = append(l.shapes, binary.LittleEndian.Uint16(packed[8+16*n+2*i:]))
	}
	l.chances = packed[8+18*n:]
	return l
}

type item struct {
	Place       int
	Image       struct{ ID, Verdict string }
	Score       *float64
	Probability *float64
}

func (f *fixture) items(t *testing.T, l listed, offset, limit int) []item {
	t.Helper()
	var page struct{ Items []item }
	a := f.do(t, "GET", fmt.Sprintf("/v1/profiles/me/snapshots/%s/images?offset=%d&limit=%d", l.ID, offset, limit), "")
	if a.status != 200 {
		t.Fatalf("got status %d: %s", a.status, a.body)
	}
	must(t, json.Unmarshal(a.body, &page))
	return page.Items
}

// A list stays what it was, whatever is judged, learned or deleted after it.
func TestASnapshotStaysAsItWasMade(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 9, red, "Roth"), f.add(t, 9, blue, "Blau")
	f.rate(t, palate.Like, reds[:6]...)
	if l := f.snapshot(t, `{"order":"score"}`); l.Provisional == nil || l.Total != 18 || l.chances[0] != 255 || l.ProbeVersion != 0 {
		t.Errorf("without a probe: got %+v", l)
	}
	f.rate(t, palate.Dislike, blues[:6]...)
	f.learn(t)
	before := f.snapshot(t, `{"order":"score"}`)
	if before.Total != 18 || before.ProbeVersion != 1 || before.shapes[0] != 1500 {
		t.Errorf("got %+v", before)
	}
	items := f.items(t, before, 0, 200)
	for i, it := range items {
		chance := math.Round(100 * *it.Probability)
		if it.Place != i || it.Image.ID != before.ids[i].String() || float64(before.chances[i]) != chance || i > 0 && *it.Score > *items[i-1].Score+1e-6 {
			t.Errorf("place %d: got %+v, in the list %v with %d %%", i, it, before.ids[i], before.chances[i])
		}
	}
	var first struct {
		Scores []struct{ Image struct{ ID string } }
	}
	must(t, json.Unmarshal(f.do(t, "GET", "/v1/profiles/me/scores?limit=1", "").body, &first))
	if got := before.ids[0].String(); got != first.Scores[0].Image.ID {
		t.Errorf("the list begins with %s, the ranking with %s", got, first.Scores[0].Image.ID)
	}

	f.rate(t, palate.Dislike, reds[6])
	f.learn(t)
	must(t, f.collection.Remove(t.Context(), before.ids[1], "test"))
	again := f.items(t, before, 0, 3)
	if len(again) != 2 || again[0].Place != 0 || again[1].Place != 2 {
		t.Errorf("after a deletion the first three are %+v", again)
	}
	if got := f.do(t, "GET", "/v1/profiles/me/snapshots/"+before.ID, "").field(t, "newer_version"); got != 2.0 {
		t.Errorf("the newer version is %v, want 2", got)
	}
	pinned := f.snapshot(t, `{"order":"score","probe_version":1}`)
	if pinned.Total != 17 || pinned.ids[0] != before.ids[0] || pinned.ids[1] != before.ids[2] || pinned.NewerVersion != 2 {
		t.Errorf("by version 1 once more: got %+v", pinned)
	}
}

func TestASnapshotHoldsWhatPassesItsFilters(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 9, red, "Roth"), f.add(t, 9, blue, "Blau")
	f.rate(t, palate.Like, reds[:6]...)
	f.rate(t, palate.Dislike, blues[:6]...)
	f.rate(t, palate.Skip, reds[7])
	f.learn(t)
	for _, tt := range []struct {
		body  string
		total int
		first palate.ImageID
	}{
		{`{"order":"newest"}`, 18, blues[8]},
		{`{"order":"oldest"}`, 18, reds[0]},
		{`{"order":"oldest","judged":"unrated"}`, 6, reds[6]},
		{`{"order":"newest","judged":"liked"}`, 6, reds[5]},
		{`{"order":"newest","judged":"skipped"}`, 1, reds[7]},
		{`{"order":"newest","artist":["Roth"],"year_from":1905}`, 5, reds[8]},
		{`{"order":"newest","q":"nº 18"}`, 1, blues[8]},
		{`{"order":"oldest","min_probability":0.5}`, 9, reds[0]},
		{`{"order":"oldest","max_probability":0.5}`, 9, blues[0]},
		{`{"order":"newest","category":["nothing"]}`, 0, palate.ImageID{}},
	} {
		l := f.snapshot(t, tt.body)
		if l.Total != tt.total || tt.total > 0 && l.ids[0] != tt.first {
			t.Errorf("%s: got %d images from %v on, want %d from %v on", tt.body, l.Total, l.ids, tt.total, tt.first)
		}
	}
	for body, want := range map[string]int{
		`{"order":"newest","min_probability":0.6,"max_probability":0.5}`: 400,
		`{"order":"newest","year_from":2000,"year_to":1900}`:             400,
		`{"order":"best"}`:                    400,
		`{"order":"newest","limit":3}`:        400,
		`{"order":"score","probe_version":9}`: 410,
	} {
		if a := f.do(t, "POST", "/v1/profiles/me/snapshots", body, "Content-Type", "application/json"); a.status != want {
			t.Errorf("%s: got status %d, want %d: %s", body, a.status, want, a.body)
		}
	}
}

func TestASnapshotIsKeptForAnHour(t *testing.T) {
	f := newFixture(t)
	f.add(t, 2, red, "Roth")
	now := time.Now()
	f.server.ForgetSnapshotsBy(func() time.Time { return now })
	l := f.snapshot(t, `{"order":"newest"}`)
	path := "/v1/profiles/me/snapshots/" + l.ID
	entries := f.do(t, "GET", path+"/entries", "")
	if a := f.do(t, "GET", path+"/entries", "", "If-None-Match", entries.header.Get("ETag")); a.status != 304 {
		t.Errorf("with its ETag: got status %d, want 304", a.status)
	}
	if a := f.do(t, "GET", path+"/entries", "", "Range", "bytes=0-3"); a.status != 206 || string(a.body) != "PLS1" {
		t.Errorf("a part: got status %d and %q", a.status, a.body)
	}
	if a := f.do(t, "GET", "/v1/profiles/you/snapshots/"+l.ID, ""); a.status != 404 {
		t.Errorf("by another profile: got status %d, want 404", a.status)
	}
	for _, tt := range []struct {
		age  time.Duration
		want int
	}{{59 * time.Minute, 200}, {time.Hour, 404}} {
		now = l.ExpiresAt.Add(tt.age - time.Hour)
		if a := f.do(t, "GET", path, ""); a.status != tt.want {
			t.Errorf("after %v: got status %d, want %d", tt.age, a.status, tt.want)
		}
	}
	// The one that was asked for the longest ago makes room.
	first := f.snapshot(t, `{"order":"newest"}`)
	second := f.snapshot(t, `{"order":"newest"}`)
	now = now.Add(time.Minute)
	f.do(t, "GET", "/v1/profiles/me/snapshots/"+first.ID, "")
	for range 199 {
		f.do(t, "POST", "/v1/profiles/me/snapshots", `{"order":"newest"}`, "Content-Type", "application/json")
	}
	for id, want := range map[string]int{first.ID: 200, second.ID: 404} {
		if a := f.do(t, "GET", "/v1/profiles/me/snapshots/"+id, ""); a.status != want {
			t.Errorf("after 199 more: got status %d, want %d", a.status, want)
		}
	}
}
