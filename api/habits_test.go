package api_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestARangeThatIsNotThereIsAProblem(t *testing.T) {
	f := newFixture(t)
	path := "/v1/images/" + f.add(t, 1, red, "Roth")[0].String() + "/file"
	a := f.do(t, "GET", path, "", "Range", "bytes=900000-")
	if a.status != 416 || a.header.Get("Content-Type") != "application/problem+json" || !strings.HasPrefix(a.header.Get("Content-Range"), "bytes */") {
		t.Errorf("got %d as %s with Content-Range %q, want 416 as a problem", a.status, a.header.Get("Content-Type"), a.header.Get("Content-Range"))
	}
	var problem struct{ Type, Detail string }
	if err := json.Unmarshal(a.body, &problem); err != nil || problem.Type != "urn:palate:problem:range" || problem.Detail == "" {
		t.Errorf("got %s, want one problem and nothing else: %v", a.body, err)
	}
	if failed := f.do(t, "GET", path, "", "If-Match", `"another"`); failed.status != 412 || failed.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a condition that does not hold: got %d as %s, want 412 as a problem", failed.status, failed.header.Get("Content-Type"))
	}
}

func TestBytesAreSentToThoseWhoAcceptNoImage(t *testing.T) {
	f := newFixture(t)
	path := "/v1/images/" + f.add(t, 1, red, "Roth")[0].String() + "/thumbnail"
	for accept, want := range map[string]string{
		"":                                      "image/jpeg",
		"*/*":                                   "image/jpeg",
		"image/webp,*/*;q=0.8":                  "image/jpeg",
		"application/octet-stream":              "application/octet-stream",
		"image/jpeg, application/octet-stream":  "image/jpeg",
		"application/octet-stream, image/*;q=0": "application/octet-stream",
		"application/octet-stream, application/problem+json": "application/octet-stream",
		"application/octet-stream;q=0.0, text/html":          "image/jpeg",
		"nonsense;;": "image/jpeg",
	} {
		a := f.do(t, "GET", path, "", "Accept", accept)
		if got := a.header.Get("Content-Type"); a.status != 200 || got != want || string(a.body[:2]) != "\xff\xd8" {
			t.Errorf("Accept %q: got %d as %s, want %s", accept, a.status, got, want)
		}
	}
}
