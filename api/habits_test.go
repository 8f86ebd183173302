package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
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

func TestEveryGetAnswersAHead(t *testing.T) {
	f := newFixture(t)
	image := f.add(t, 9, red, "Roth")[0].String()
	tried := 0
	for where := range operations(t) {
		method, path, _ := strings.Cut(where, " ")
		if method != "GET" || path == "/v1/profiles/{profile}/queue" { // which gives other pictures each time
			continue
		}
		tried++
		path = strings.NewReplacer("{image}", image, "{profile}", "me", "{version}", "1", "{job}", "1").Replace(path)
		head := f.do(t, "HEAD", path, "")
		if len(head.body) != 0 || head.status == 405 {
			t.Errorf("HEAD %s: got %d with %d bytes", path, head.status, len(head.body))
		}
		if path == "/v1/events" { // a GET of it lasts
			continue
		}
		get := f.do(t, "GET", path, "", "Accept-Encoding", "identity")
		if get.status != head.status || get.header.Get("Content-Type") != head.header.Get("Content-Type") || get.header.Get("ETag") != head.header.Get("ETag") {
			t.Errorf("%s: HEAD got %d, %v; GET got %d, %v", path, head.status, head.header, get.status, get.header)
		}
	}
	if tried < 20 {
		t.Errorf("%d operations were tried", tried)
	}
	for _, path := range []string{"/", "/app.js", "/docs", "/openapi.json", "/metrics"} {
		if head := f.do(t, "HEAD", path, ""); head.status != 200 {
			t.Errorf("HEAD %s: got %d", path, head.status)
		}
	}
	if a := f.do(t, "PATCH", "/v1/images", ""); a.status != 405 || !strings.Contains(a.header.Get("Allow"), "HEAD") {
		t.Errorf("got %d and Allow %q, want 405 and HEAD in it", a.status, a.header.Get("Allow"))
	}
}

func TestListsAreNotSentTwice(t *testing.T) {
	f := newFixture(t)
	f.add(t, 3, red, "Roth")
	for _, path := range []string{"/v1/images", "/v1/profiles", "/", "/style.css", "/docs", "/openapi.yaml"} {
		first := f.do(t, "GET", path, "")
		etag := first.header.Get("ETag")
		if first.status != 200 || etag == "" {
			t.Errorf("%s: got %d with ETag %q", path, first.status, etag)
			continue
		}
		for _, condition := range []string{etag, `"other", ` + etag, strings.TrimPrefix(etag, "W/")} {
			if again := f.do(t, "GET", path, "", "If-None-Match", condition); again.status != 304 || len(again.body) != 0 || again.header.Get("ETag") != etag {
				t.Errorf("%s with %s: got %d and %d bytes, want 304", path, condition, again.status, len(again.body))
			}
		}
	}
	before := f.do(t, "GET", "/v1/images", "").header.Get("ETag")
	f.add(t, 1, blue, "Blau")
	if after := f.do(t, "GET", "/v1/images", "", "If-None-Match", before); after.status != 200 || after.header.Get("ETag") == before {
		t.Errorf("after another image: got %d and the ETag %s", after.status, after.header.Get("ETag"))
	}
}

func TestAnswersArePackedForThoseWhoTakeIt(t *testing.T) {
	f := newFixture(t)
	f.add(t, 5, red, "Roth")
	plain := f.do(t, "GET", "/v1/images", "", "Accept-Encoding", "identity")
	for accept, want := range map[string]string{
		"gzip": "gzip", "br, gzip;q=0.5": "gzip", "*": "gzip", "gzip;q=0": "", "gzip;q=0.0, *": "", "identity": "", "br": "",
	} {
		a := f.do(t, "GET", "/v1/images", "", "Accept-Encoding", accept)
		if got := a.header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: got the coding %q, want %q", accept, got, want)
			continue
		}
		body := a.body
		if want == "gzip" {
			unpacked, err := gzip.NewReader(bytes.NewReader(a.body))
			must(t, err)
			body, err = io.ReadAll(unpacked)
			must(t, err)
		}
		if string(body) != string(plain.body) || a.header.Get("ETag") != plain.header.Get("ETag") || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("Accept-Encoding %q: another answer, ETag %q or Vary %q", accept, a.header.Get("ETag"), a.header.Values("Vary"))
		}
	}
	if a := f.do(t, "GET", "/v1/profiles", "", "Accept-Encoding", "gzip"); a.header.Get("Content-Encoding") != "" {
		t.Error("a few bytes are packed")
	}
}
