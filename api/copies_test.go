package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api/client"
	"github.com/palate-art/palate/internal/picture"
)

// addCopy adds a picture that f.add has painted once more, some times as large and
// by another artist.
func (f *fixture) addCopy(t *testing.T, base color.RGBA, seed, times int, artist string) palate.ImageID {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(paint(t, base, seed)))
	must(t, err)
	rgb := picture.NewRGB(m.Bounds().Dx(), m.Bounds().Dy())
	for y := range rgb.Height {
		for x := range rgb.Width {
			c := color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)
			copy(rgb.Row(y)[3*x:], []byte{c.R, c.G, c.B})
		}
	}
	rgb, err = picture.Resize(rgb, times*rgb.Width, times*rgb.Height)
	must(t, err)
	made := image.NewRGBA(image.Rect(0, 0, rgb.Width, rgb.Height))
	for y := range rgb.Height {
		for x := range rgb.Width {
			made.SetRGBA(x, y, color.RGBA{rgb.Row(y)[3*x], rgb.Row(y)[3*x+1], rgb.Row(y)[3*x+2], 255})
		}
	}
	var file bytes.Buffer
	must(t, png.Encode(&file, made))
	added, err := f.collection.Add(t.Context(), file.Bytes(), palate.Source{Site: "copies.example", Address: fmt.Sprintf("https://copies.example/%d-%d.png", seed, times), Title: fmt.Sprintf("Copy %d of Nº %d", times, seed), Artist: artist})
	must(t, err)
	f.embed(t)
	return added.ID
}

// lookForCopies has a job look for copies, and waits for its end.
func (f *fixture) lookForCopies(t *testing.T) (result map[string]any) {
	t.Helper()
	var job client.Job
	must(t, json.Unmarshal(f.do(t, "POST", "/v1/jobs", `{"kind":"copies"}`, "Content-Type", "application/json").body, &job))
	for deadline := time.Now().Add(time.Minute); job.State == client.JobStateRunning; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the search for copies does not end")
		}
		must(t, json.Unmarshal(f.do(t, "GET", fmt.Sprintf("/v1/jobs/%d", job.ID), "").body, &job))
	}
	if job.State != client.JobStateSucceeded {
		t.Fatalf("the search for copies ended as %s: %v", job.State, job.Error)
	}
	return *job.Result
}

// collapsed is a list with one picture of each work: its ids in order, how many
// stand behind each, and what is said of the whole.
func (f *fixture) collapsed(t *testing.T, body string) (ids []palate.ImageID, behind map[palate.ImageID]int, said client.Snapshot) {
	t.Helper()
	made := f.do(t, "POST", "/v1/profiles/me/snapshots", body, "Content-Type", "application/json")
	if made.status != 201 {
		t.Fatalf("%s: got status %d: %s", body, made.status, made.body)
	}
	must(t, json.Unmarshal(made.body, &said))
	var page client.SnapshotItemList
	must(t, json.Unmarshal(f.do(t, "GET", "/v1/profiles/me/snapshots/"+said.ID+"/images?limit=100", "").body, &page))
	behind = map[palate.ImageID]int{}
	for _, item := range page.Items {
		id, err := palate.ParseImageID(item.Image.ID)
		must(t, err)
		ids = append(ids, id)
		if item.Copies != nil {
			behind[id] = *item.Copies
		}
	}
	if said.Total != len(ids) || said.Collapsed == nil || said.NotLookedAt == nil {
		t.Fatalf("%s: got %s with %d images", body, made.body, len(ids))
	}
	return ids, behind, said
}

// A list holds one picture of each work: the judged one, else the largest.
func TestAListHoldsOnePictureOfEachWork(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 6, red, "Roth"), f.add(t, 6, blue, "Blau")
	large, largest := f.addCopy(t, red, 1, 3, "Copyist"), f.addCopy(t, red, 1, 4, "Roth")
	blueCopy := f.addCopy(t, blue, 7, 2, "Copyist")
	const newest, byScore = `{"order":"newest","collapse":true}`, `{"order":"score","collapse":true}`
	check := func(what, body string, left, unlooked int, want map[palate.ImageID]int, gone ...palate.ImageID) []palate.ImageID {
		t.Helper()
		ids, behind, said := f.collapsed(t, body)
		if *said.Collapsed != left || *said.NotLookedAt != unlooked || len(behind) != len(want) {
			t.Errorf("%s: %d left out, %d not looked at, behind %v; want %d, %d, %v", what, *said.Collapsed, *said.NotLookedAt, behind, left, unlooked, want)
		}
		for id, n := range want {
			if behind[id] != n || !slices.Contains(ids, id) {
				t.Errorf("%s: behind %v there are %d in %v, want %d", what, id, behind[id], ids, n)
			}
		}
		for _, id := range gone {
			if slices.Contains(ids, id) {
				t.Errorf("%s: %v is in the list, beside its copy", what, id)
			}
		}
		return ids
	}
	check("before", newest, 0, 15, nil)
	if a := f.do(t, "GET", "/v1/copies", ""); a.field(t, "not_looked_at") != 15. || a.field(t, "works") != 0. {
		t.Errorf("before: got %s", a.body)
	}
	if r := f.lookForCopies(t); r["looked_at"] != 15. || r["works"] != 2. || r["images"] != 5. {
		t.Errorf("the job says %v, want two works, with five pictures of 15", r)
	}
	if a := f.do(t, "GET", "/v1/copies", ""); a.field(t, "looked_at") != 15. || a.field(t, "not_looked_at") != 0. || a.field(t, "works") != 2. || a.field(t, "images") != 5. {
		t.Errorf("after: got %s", a.body)
	}
	ids := check("the largest", newest, 3, 0, map[palate.ImageID]int{largest: 2, blueCopy: 1}, reds[0], large, blues[0])
	if want := append([]palate.ImageID{blueCopy, largest}, reversed(slices.Concat(reds[1:], blues[1:]))...); !slices.Equal(ids, want) {
		t.Errorf("each at its own place: got %v, want %v", ids, want)
	}
	check("the oldest first", `{"order":"oldest","collapse":true}`, 3, 0, map[palate.ImageID]int{largest: 2, blueCopy: 1}, reds[0], large, blues[0])
	if total := f.snapshot(t, `{"order":"newest"}`).Total; total != 15 {
		t.Errorf("a list that is not collapsed has %d images, want 15", total)
	}

	var copies struct{ Images []struct{ ID string } }
	must(t, json.Unmarshal(f.do(t, "GET", "/v1/images/"+reds[0].String()+"/copies", "").body, &copies))
	if len(copies.Images) != 2 || copies.Images[0].ID != largest.String() || copies.Images[1].ID != large.String() {
		t.Errorf("the copies of one: got %v, want the two others, the largest first", copies)
	}
	if a := f.do(t, "GET", "/v1/images/"+reds[1].String()+"/copies", ""); string(bytes.TrimSpace(a.body)) != `{"images":[]}` {
		t.Errorf("the copies of what has none: got %s", a.body)
	}

	// What passes the filter alone counts.
	check("by one artist", `{"order":"newest","collapse":true,"artist":["Copyist"]}`, 0, 0, nil)
	check("of two artists", `{"order":"newest","collapse":true,"artist":["Roth","Copyist"]}`, 2, 0, map[palate.ImageID]int{largest: 2}, large)
	f.rate(t, palate.Skip, large)
	check("a skipped one", newest, 3, 0, map[palate.ImageID]int{large: 2, blueCopy: 1}, reds[0], largest)
	f.rate(t, palate.Like, reds[0])
	f.rate(t, palate.Dislike, blues[1])
	check("a liked one", newest, 3, 0, map[palate.ImageID]int{reds[0]: 2, blueCopy: 1}, large, largest)
	if ids := check("by score", byScore, 3, 0, map[palate.ImageID]int{reds[0]: 2, blueCopy: 1}, large, largest); len(ids) != 12 {
		t.Errorf("by score: %d images, want 12", len(ids))
	}
	check("what is not judged", `{"order":"newest","collapse":true,"judged":"unrated"}`, 2, 0, map[palate.ImageID]int{large: 1, blueCopy: 1}, largest)

	// Deleted, restored, and new.
	path := "/v1/images/" + blueCopy.String()
	f.do(t, "DELETE", path+"?reason=test", "")
	f.follow(t)
	check("without one", newest, 2, 0, map[palate.ImageID]int{reds[0]: 2})
	if a := f.do(t, "GET", path+"/copies", ""); a.status != 404 {
		t.Errorf("the copies of what is deleted: got %d", a.status)
	}
	f.do(t, "POST", path+"/restore", "")
	further := f.addCopy(t, blue, 8, 2, "Copyist")
	check("restored and new", newest, 2, 2, map[palate.ImageID]int{reds[0]: 2})
	if r := f.lookForCopies(t); r["looked_at"] != 2. || r["works"] != 3. {
		t.Errorf("the next job says %v, want the two others to be looked at", r)
	}
	check("looked at again", newest, 4, 0, map[palate.ImageID]int{reds[0]: 2, blueCopy: 1, blues[1]: 1}, blues[0], further)
}

func reversed(ids []palate.ImageID) []palate.ImageID {
	ids = slices.Clone(ids)
	slices.Reverse(ids)
	return ids
}
