package api_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api/client"
)

// makeMap has a job make the map, and waits for its end.
func (f *fixture) makeMap(t *testing.T) client.Job {
	t.Helper()
	var job client.Job
	must(t, json.Unmarshal(f.do(t, "POST", "/v1/jobs", `{"kind":"map"}`, "Content-Type", "application/json").body, &job))
	for deadline := time.Now().Add(time.Minute); job.State == client.JobStateRunning; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the map is not made")
		}
		must(t, json.Unmarshal(f.do(t, "GET", fmt.Sprintf("/v1/jobs/%d", job.ID), "").body, &job))
	}
	if job.State != client.JobStateSucceeded {
		t.Fatalf("the map ended as %s: %v", job.State, job.Error)
	}
	return job
}

// spot is where a picture is, and its verdict.
type spot struct {
	x, y    uint16
	verdict byte
}

// onMap reads a map of a new list, in the order of its ids.
func (f *fixture) onMap(t *testing.T) (map[string]spot, answer) {
	t.Helper()
	var list client.Snapshot
	must(t, json.Unmarshal(f.do(t, "POST", "/v1/profiles/me/snapshots", `{"order":"newest"}`, "Content-Type", "application/json").body, &list))
	path := "/v1/profiles/me/snapshots/" + list.ID
	entries, a := f.do(t, "GET", path+"/entries", ""), f.do(t, "GET", path+"/map", "")
	if a.status != 200 {
		t.Fatalf("the map: %d %s", a.status, a.body)
	}
	n := int(binary.LittleEndian.Uint32(a.body[4:]))
	if string(a.body[:4]) != "PLM1" || n != list.Total || len(a.body) != 8+5*n {
		t.Fatalf("%q, %d pictures in %d bytes, want PLM1 and %d in %d", a.body[:4], n, len(a.body), list.Total, 8+5*list.Total)
	}
	spots := map[string]spot{}
	for i := range n {
		id := palate.ImageID(entries.body[8+16*i : 24+16*i])
		spots[id.String()] = spot{binary.LittleEndian.Uint16(a.body[8+2*i:]), binary.LittleEndian.Uint16(a.body[8+2*n+2*i:]), a.body[8+4*n+i]}
	}
	return spots, a
}

func TestWhatIsAlikeIsNearTogetherOnTheMap(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 20, red, "Roth"), f.add(t, 20, blue, "Blau")
	f.rate(t, palate.Like, reds[0])
	f.rate(t, palate.Dislike, blues[0])
	f.rate(t, palate.Skip, blues[1])
	if got := f.do(t, "GET", "/v1/map", "").field(t, "pictures"); got != 0. {
		t.Errorf("before the first map it has %v pictures", got)
	}
	job := f.makeMap(t)
	if (*job.Result)["pictures"] != 40. {
		t.Errorf("the job says %v, want 40 pictures", *job.Result)
	}
	if a := f.do(t, "GET", "/v1/map", ""); a.field(t, "pictures") != 40. || a.field(t, "trustworthiness").(float64) < .5 {
		t.Errorf("the map is told as %s", a.body)
	}
	spots, first := f.onMap(t)
	distance := func(a, b palate.ImageID) float64 {
		p, q := spots[a.String()], spots[b.String()]
		dx, dy := float64(p.x)-float64(q.x), float64(p.y)-float64(q.y)
		return dx*dx + dy*dy
	}
	var within, between float64
	for i := range reds {
		for j := range i {
			within += distance(reds[i], reds[j]) + distance(blues[i], blues[j])
			between += distance(reds[i], blues[j]) + distance(blues[i], reds[j])
		}
	}
	if between < 3*within {
		t.Errorf("pictures of one colour are %.3g apart, of two %.3g", within, between)
	}
	for id, want := range map[palate.ImageID]byte{reds[0]: 1, blues[0]: 2, blues[1]: 3, reds[1]: 0} {
		if got := spots[id.String()].verdict; got != want {
			t.Errorf("a verdict is %d, want %d", got, want)
		}
	}
	if _, again := f.onMap(t); again.header.Get("ETag") != first.header.Get("ETag") || !strings.Contains(first.header.Get("Cache-Control"), "no-cache") {
		t.Errorf("the same places have the ETags %s and %s, and Cache-Control %q", first.header.Get("ETag"), again.header.Get("ETag"), first.header.Get("Cache-Control"))
	}
	// What comes later is put among what is like it; what is not embedded is nowhere.
	newcomer := f.add(t, 1, red, "Roth")[0]
	late, err := f.collection.Add(t.Context(), paint(t, blue, 9999), palate.Source{Site: "museum.example", Address: "https://museum.example/late.jpg"})
	must(t, err)
	spots, _ = f.onMap(t)
	if got := spots[late.ID.String()]; got.x != 65535 || got.y != 65535 {
		t.Errorf("what is not embedded is at %v", got)
	}
	if got := spots[newcomer.String()]; got.x == 65535 {
		t.Error("what came later is nowhere")
	}
	var toReds, toBlues float64
	for i := range reds {
		toReds, toBlues = toReds+distance(newcomer, reds[i]), toBlues+distance(newcomer, blues[i])
	}
	if toBlues < 2*toReds {
		t.Errorf("a red picture that came later is %.3g from the red ones and %.3g from the blue ones", toReds, toBlues)
	}
}
