package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
)

// edit patches an image and gives what was answered.
func (f *fixture) edit(t *testing.T, id, body string, headers ...string) answer {
	t.Helper()
	return f.do(t, "PATCH", "/v1/images/"+id, body, append(headers, "Content-Type", "application/json")...)
}

func imageIn(t *testing.T, a answer) api.Image {
	t.Helper()
	var image api.Image
	if err := json.Unmarshal(a.body, &image); err != nil || a.status != 200 {
		t.Fatalf("got status %d (%v): %.300s", a.status, err, a.body)
	}
	return image
}

func TestWhatIsEditedIsShownEverywhere(t *testing.T) {
	f := newFixture(t)
	ids := f.add(t, 6, red, "Roth")
	f.rate(t, palate.Like, ids[1:4]...)
	id := ids[0].String()
	got := imageIn(t, f.edit(t, id, `{"title":"Das Milchmädchen","artist":"Vermeer","year":1658,"licence":"PD","medium":"oil","categories":["Dutch","oil"]}`))
	if got.Title != "Das Milchmädchen" || got.Artist != "Vermeer" || len(got.Sources) != 2 {
		t.Fatalf("got %+v", got)
	}
	edit, found := got.Sources[0], got.Sources[1]
	if edit.Site != "you" || *edit.Year != 1658 || *edit.Licence != "PD" || *edit.Medium != "oil" || strings.Join(*edit.Categories, " ") != "Dutch oil" {
		t.Errorf("got the edit %+v", edit)
	}
	if found.Site != "museum.example" || *found.Artist != "Roth" || *found.Year != 1901 || *found.Licence != "CC0" {
		t.Errorf("what was found is another: %+v", found)
	}
	// The same picture comes again from where it was found, and from elsewhere.
	for _, address := range []string{"https://museum.example/1.jpg", "https://elsewhere.example/a.jpg"} {
		_, err := f.collection.Add(t.Context(), paint(t, red, 1), palate.Source{Site: "museum.example", Address: address, Title: "Found anew", Artist: "Roth"})
		must(t, err)
	}
	f.follow(t)
	for path, want := range map[string]bool{
		"/v1/images?q=milchm": true, "/v1/images?artist=Vermeer": true, "/v1/images?artist=Roth": false, "/v1/images?year_to=1700": true,
		"/v1/images?year_from=1900": false, "/v1/images?category=Dutch": true, "/v1/images?licence=PD&site=you": true,
		"/v1/profiles/me/scores?artist=Vermeer": true, "/v1/profiles/me/scores?artist=Roth": false,
		"/v1/profiles/me/export?format=ndjson": true, "/v1/profiles/me/export?format=csv": true,
	} {
		a := f.do(t, "GET", path, "")
		if has := strings.Contains(string(a.body), "Das Milchmädchen"); a.status != 200 || has != want {
			t.Errorf("%s: got status %d, and the edited image: %v, want %v", path, a.status, has, want)
		}
	}
	var row struct {
		Title, Artist, Licence, URL, Site string
		Terms                             string `json:"licence_url"`
		Year                              int
	}
	first, _, _ := strings.Cut(string(f.do(t, "GET", "/v1/profiles/me/export?format=ndjson", "").body), "\n")
	must(t, json.Unmarshal([]byte(first), &row))
	if row.Title != "Das Milchmädchen" || row.Year != 1658 || row.Licence != "PD" || row.Terms != "" || row.Site != "museum.example" || row.URL != "https://museum.example/1.jpg" {
		t.Errorf("exported: got %+v", row)
	}
	got = imageIn(t, f.edit(t, id, `{"title":null,"year":null,"credit":null}`))
	if got.Title != "Found anew" || got.Artist != "Vermeer" || got.Sources[0].Year != nil || *got.Sources[0].Licence != "PD" {
		t.Errorf("with title and year taken back: got %+v", got)
	}
	got = imageIn(t, f.edit(t, id, `{"artist":null,"licence":null,"medium":null,"categories":null}`))
	if got.Artist != "Roth" || len(got.Sources) != 2 || got.Sources[0].Site != "museum.example" {
		t.Errorf("all taken back: got %+v", got)
	}
}

func TestAnEditOfWhatChangedMeanwhile(t *testing.T) {
	f := newFixture(t)
	id := f.add(t, 1, red, "Roth")[0].String()
	read := func() string { return f.do(t, "GET", "/v1/images/"+id, "").header.Get("ETag") }
	first := read()
	a := f.edit(t, id, `{"title":"One"}`, "If-Match", first)
	if imageIn(t, a); a.header.Get("ETag") != read() || a.header.Get("ETag") == first {
		t.Errorf("got the ETag %s, want that of a GET, %s, and no longer %s", a.header.Get("ETag"), read(), first)
	}
	if again := f.edit(t, id, `{"title":"One"}`, "If-Match", a.header.Get("ETag")); again.header.Get("ETag") != a.header.Get("ETag") {
		t.Errorf("the same again: got %s, want what it was, %s", again.header.Get("ETag"), a.header.Get("ETag"))
	}
	for condition, want := range map[string]int{first: 412, `"another"`: 412, "none": 412, "*": 200, `"x", ` + read(): 200} {
		if got := f.edit(t, id, `{"title":"One"}`, "If-Match", condition); got.status != want || want == 412 && got.field(t, "type") != "urn:palate:problem:precondition" {
			t.Errorf("If-Match %s: got %d, want %d: %s", condition, got.status, want, got.body)
		}
	}
	if got := f.edit(t, unknownImage, `{"title":"One"}`, "If-Match", "*"); got.status != 404 {
		t.Errorf("no such image: got %d", got.status)
	}
	// A verdict is part of the answer, of the profile that is named alone.
	condition := read()
	f.do(t, "PUT", "/v1/profiles/guest/ratings/"+id, `{"verdict":"like"}`, "Content-Type", "application/json")
	if got := f.edit(t, id, `{"date":"um 1900"}`, "If-Match", condition); got.status != 200 {
		t.Errorf("rated by a guest meanwhile: got %d", got.status)
	}
	condition = read()
	var wait sync.WaitGroup
	statuses := make([]int, 4)
	for i := range statuses {
		wait.Go(func() {
			statuses[i] = f.edit(t, id, fmt.Sprintf(`{"title":"Number %d"}`, i), "If-Match", condition).status
		})
	}
	wait.Wait()
	made := 0
	for _, status := range statuses {
		if status == 200 {
			made++
		} else if status != 412 {
			t.Errorf("got %d, want 200 or 412", status)
		}
	}
	if made != 1 {
		t.Errorf("of four edits of the same answer %d were made, want one", made)
	}
}

func TestWhatCanNotBeSaidOfAnImage(t *testing.T) {
	f := newFixture(t)
	id := f.add(t, 1, red, "Roth")[0].String()
	for body, want := range map[string]string{
		`{"year":0}`: "/year", `{"year":2999}`: "/year", `{"year":1658.5}`: "/year", `{"year":"1658"}`: "/year", `{"title":""}`: "/title", `{"artist":7}`: "/artist",
		`{"categories":[]}`: "/categories", `{"categories":["a",""]}`: "/categories/1", `{"licence_url":"javascript:alert(1)"}`: "/licence_url",
		`{"site":"you"}`: "", `{"title":"Mine","surprise":1}`: "",
	} {
		a := f.edit(t, id, body)
		var problem struct {
			Errors []struct{ Pointer, Detail string }
		}
		must(t, json.Unmarshal(a.body, &problem))
		if a.status != 400 || len(problem.Errors) != 1 || want != "" && problem.Errors[0].Pointer != want {
			t.Errorf("%s: got %d, %s; want 400 for %q", body, a.status, a.body, want)
		}
	}
	if image := imageIn(t, f.do(t, "GET", "/v1/images/"+id, "")); len(image.Sources) != 1 {
		t.Errorf("something was written: %+v", image.Sources)
	}
	if image := imageIn(t, f.edit(t, id, `{}`)); len(image.Sources) != 1 {
		t.Errorf("an edit of nothing wrote %+v", image.Sources)
	}
}
