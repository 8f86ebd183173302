package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/palate-art/palate"
)

func TestEveryErrorIsAProblem(t *testing.T) {
	f := newFixture(t)
	id := f.add(t, 1, red, "Roth")[0].String()
	kind, valid := form(t, paint(t, red, 999))
	noPicture := func() (string, string) { return form(t, []byte("<!doctype html><title>no</title>")) }
	htmlKind, html := noPicture()
	unknownKind, unknownPart := form(t, paint(t, red, 998), "colour", "red")
	yearKind, badYear := form(t, paint(t, red, 997), "year", "about 1900")
	titledKind, titled := form(t, paint(t, red, 995), "title", "Rot")
	largeKind, large := form(t, append(paint(t, red, 996), make([]byte, 2<<20)...))
	const asJSON = "application/json"
	for name, tt := range map[string]struct {
		method, path, body, contentType string
		status                          int
		kind                            string // the last part of type
		names                           string // a parameter or a pointer, if one is to be named
	}{
		"no such address":       {"GET", "/v1/nothing", "", "", 404, "not-found", ""},
		"no such page":          {"GET", "/nothing.html", "", "", 404, "not-found", ""},
		"method not known":      {"PATCH", "/v1/images", "", "", 405, "method-not-allowed", ""},
		"unknown parameter":     {"GET", "/v1/images?colour=red", "", "", 400, "invalid", "colour"},
		"given twice":           {"GET", "/v1/images?limit=1&limit=2", "", "", 400, "invalid", "limit"},
		"limit too small":       {"GET", "/v1/images?limit=0", "", "", 400, "invalid", "limit"},
		"limit no number":       {"GET", "/v1/images?limit=many", "", "", 400, "invalid", "limit"},
		"unknown value":         {"GET", "/v1/images?order=random", "", "", 400, "invalid", "order"},
		"years turned round":    {"GET", "/v1/images?year_from=1900&year_to=1800", "", "", 400, "invalid", "year_from"},
		"external id and more":  {"GET", "/v1/images?external_id=x&q=y", "", "", 400, "invalid", "q"},
		"image no UUID":         {"GET", "/v1/images/7", "", "", 400, "invalid", "image"},
		"no such image":         {"GET", "/v1/images/00000000-0000-8000-8000-000000000000", "", "", 404, "not-found", ""},
		"bad profile":           {"GET", "/v1/profiles/A.B/ratings", "", "", 400, "invalid", "profile"},
		"body no JSON":          {"PUT", "/v1/profiles/me/ratings/" + id, "{", asJSON, 400, "invalid", ""},
		"body missing":          {"PUT", "/v1/profiles/me/ratings/" + id, "", asJSON, 400, "invalid", ""},
		"body of another kind":  {"PUT", "/v1/profiles/me/ratings/" + id, "verdict=like", "application/x-www-form-urlencoded", 415, "media-type", ""},
		"body of no kind":       {"PUT", "/v1/profiles/me/ratings/" + id, `{"verdict":"like"}`, "", 415, "media-type", ""},
		"probe of another kind": {"POST", "/v1/profiles/me/probe/import", "{}", asJSON, 415, "media-type", ""},
		"unknown verdict":       {"PUT", "/v1/profiles/me/ratings/" + id, `{"verdict":"love"}`, asJSON, 400, "invalid", "/verdict"},
		"unknown field":         {"PUT", "/v1/profiles/me/ratings/" + id, `{"verdict":"like","colour":5}`, asJSON, 400, "invalid", "/"},
		"rating of no image":    {"PUT", "/v1/profiles/me/ratings/00000000-0000-8000-8000-000000000000", `{"verdict":"like"}`, asJSON, 404, "not-found", ""},
		"undo of nothing":       {"POST", "/v1/profiles/me/undo", `{"entry":4711}`, asJSON, 404, "not-found", ""},
		"no positive example":   {"POST", "/v1/search", `{"positive":[]}`, asJSON, 400, "invalid", "/positive"},
		"example not there":     {"POST", "/v1/search", `{"positive":["00000000-0000-8000-8000-000000000000"]}`, asJSON, 404, "not-found", ""},
		"no probe":              {"GET", "/v1/profiles/me/scores", "", "", 409, "conflict", ""},
		"too few ratings":       {"POST", "/v1/profiles/me/probe", "", "", 409, "conflict", ""},
		"upload of another":     {"POST", "/v1/images", "{}", asJSON, 415, "media-type", ""},
		"upload without parts":  {"POST", "/v1/images", "", "multipart/form-data", 400, "invalid", ""},
		"upload cut short":      {"POST", "/v1/images", valid[:len(valid)/2], kind, 400, "invalid", ""},
		"upload of no picture":  {"POST", "/v1/images", html, htmlKind, 400, "invalid", ""},
		"upload of unknown":     {"POST", "/v1/images", unknownPart, unknownKind, 400, "invalid", "colour"},
		"a field of no use":     {"POST", "/v1/search/upload", titled, titledKind, 400, "invalid", "title"},
		"upload with bad year":  {"POST", "/v1/images", badYear, yearKind, 400, "invalid", "year"},
		"upload too large":      {"POST", "/v1/images", large, largeKind, 413, "too-large", ""},
		"delete, empty reason":  {"DELETE", "/v1/images/" + id + "?reason=", "", "", 400, "invalid", "reason"},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.do(t, tt.method, tt.path, tt.body, "Content-Type", tt.contentType)
			var problem struct {
				Type, Title, Detail, Instance string
				Status                        int
				Errors                        []struct{ Detail, Parameter, Pointer string }
			}
			must(t, json.Unmarshal(a.body, &problem))
			path, _, _ := strings.Cut(tt.path, "?")
			if a.status != tt.status || problem.Status != tt.status || a.header.Get("Content-Type") != "application/problem+json" ||
				problem.Type != "urn:palate:problem:"+tt.kind || problem.Title == "" || problem.Detail == "" || problem.Instance != path {
				t.Errorf("got %d (%s): %s", a.status, a.header.Get("Content-Type"), a.body)
			}
			if tt.names != "" && (len(problem.Errors) == 0 || problem.Errors[0].Parameter != tt.names && problem.Errors[0].Pointer != tt.names) {
				t.Errorf("got errors %+v, want %q named", problem.Errors, tt.names)
			}
		})
	}
}

func TestForeignPagesAndHostsAreRefused(t *testing.T) {
	f := newFixture(t)
	if a := f.do(t, "GET", "/v1/health", "", "Host", "evil.example"); a.status != http.StatusMisdirectedRequest {
		t.Errorf("foreign host: got %d, want 421", a.status)
	}
	a := f.do(t, "POST", "/v1/profiles/me/probe", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	if a.status != http.StatusForbidden || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("foreign page: got %d as %s, want 403 as a problem", a.status, a.header.Get("Content-Type"))
	}
	if a := f.do(t, "GET", "/v1/health", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another origin may read the answers")
	}
}

func TestADeletedImageStaysAway(t *testing.T) {
	f := newFixture(t)
	id := f.add(t, 1, red, "Roth")[0]
	path := "/v1/images/" + id.String()
	f.do(t, "GET", path+"/thumbnail", "")
	kind, again := form(t, paint(t, red, f.pictures))
	if a := f.do(t, "POST", "/v1/images", again, "Content-Type", kind); a.status != http.StatusOK {
		t.Errorf("the same file again: got %d, want 200", a.status)
	}
	if a := f.do(t, "DELETE", path+"?reason=no+painting", ""); a.status != http.StatusNoContent {
		t.Fatalf("got %d: %s", a.status, a.body)
	}
	for _, gone := range []string{path, path + "/file", path + "/thumbnail", path + "/neighbours"} {
		if a := f.do(t, "GET", gone, ""); a.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", gone, a.status)
		}
	}
	if a := f.do(t, "GET", "/v1/trash/"+id.String()+"/thumbnail", ""); a.status != http.StatusOK || a.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("its thumbnail in the trash: got %d", a.status)
	}
	if has, err := f.store.Has(t.Context(), id); !has || err != nil {
		t.Errorf("the trash has lost the file: %v, %v", has, err)
	}
	if points, err := f.index.Get(t.Context(), []palate.ImageID{id}); len(points) != 0 || err != nil {
		t.Errorf("the index still has the image: %v, %v", points, err)
	}
	if a := f.do(t, "POST", "/v1/images", again, "Content-Type", kind); a.status != http.StatusConflict || !strings.Contains(string(a.body), "no painting") {
		t.Errorf("the deleted file again: got %d, want 409 with the reason: %s", a.status, a.body)
	}
}

func TestFilesAreSentWholeInPartOrNotAtAll(t *testing.T) {
	f := newFixture(t)
	path := "/v1/images/" + f.add(t, 1, red, "Roth")[0].String() + "/file"
	want := paint(t, red, f.pictures)
	whole := f.do(t, "GET", path, "")
	if whole.status != 200 || string(whole.body) != string(want) || whole.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("got %d, %d bytes of %s", whole.status, len(whole.body), whole.header.Get("Content-Type"))
	}
	part := f.do(t, "GET", path, "", "Range", "bytes=10-19")
	if part.status != 206 || string(part.body) != string(want[10:20]) {
		t.Errorf("range: got %d, %d bytes", part.status, len(part.body))
	}
	if same := f.do(t, "GET", path, "", "If-None-Match", whole.header.Get("ETag")); same.status != 304 || len(same.body) != 0 {
		t.Errorf("the same ETag: got %d, %d bytes", same.status, len(same.body))
	}
	if policy := whole.header.Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox") || whole.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a picture may act as a page: policy %q", policy)
	}
}

// What is not there is told by its name, and not by what the program was doing.
func TestWhatIsNotThereIsToldByItsName(t *testing.T) {
	f := newFixture(t)
	const image = "00000000-0000-8000-8000-000000000000"
	one := f.add(t, 1, red, "A")[0].String()
	for _, tt := range []struct{ method, path, body, want string }{
		{"GET", "/v1/images/" + image, "", "image " + image + ": not found"},
		{"PATCH", "/v1/images/" + image, `{"title":"A"}`, "image " + image + ": not found"},
		{"DELETE", "/v1/images/" + image, "", "image " + image + ": not found"},
		{"PUT", "/v1/profiles/me/ratings/" + image, `{"verdict":"like"}`, "image " + image + ": not found"},
		{"POST", "/v1/profiles/me/ratings", `{"ratings":[{"image_id":"` + one + `","verdict":"like"},{"image_id":"` + image + `","verdict":"like"}]}`, "rating 1: image " + image + ": not found"},
		{"DELETE", "/v1/profiles/nobody", "", `profile "nobody": not found`},
		{"POST", "/v1/profiles/me/undo", "", `profile "me" has no rating to undo`},
		{"GET", "/v1/jobs/999", "", "job 999: not found"},
		{"DELETE", "/v1/jobs/999", "", "job 999: not found"},
	} {
		var headers []string
		if tt.body != "" {
			headers = []string{"Content-Type", "application/json"}
		}
		a := f.do(t, tt.method, tt.path, tt.body, headers...)
		if detail, _ := a.field(t, "detail").(string); a.status != http.StatusNotFound || detail != tt.want {
			t.Errorf("%s %s: got status %d, %q, want %q", tt.method, tt.path, a.status, detail, tt.want)
		}
	}
}
