package api_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestTheContractIsServedAsItIsWritten(t *testing.T) {
	f := newFixture(t)
	written, err := os.ReadFile("../openapi.yaml")
	must(t, err)
	if a := f.do(t, "GET", "/openapi.yaml", ""); a.status != 200 || string(a.body) != string(written) || a.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("openapi.yaml: got %d as %s, %d bytes of %d", a.status, a.header.Get("Content-Type"), len(a.body), len(written))
	}
	a := f.do(t, "GET", "/openapi.json", "")
	if a.status != 200 || a.header.Get("Content-Type") != "application/json" || !json.Valid(a.body) {
		t.Fatalf("openapi.json: got %d as %s: %.100s", a.status, a.header.Get("Content-Type"), a.body)
	}
	served, err := openapi3.NewLoader().LoadFromData(a.body)
	must(t, err)
	must(t, served.Validate(t.Context()))
	whole, err := openapi3.NewLoader().LoadFromData(written)
	must(t, err)
	if want, err := json.Marshal(whole); err != nil || string(want) != string(a.body) {
		t.Errorf("openapi.json is another document (%v): %d bytes, want %d", err, len(a.body), len(want))
	}
}

func TestTheReferenceShowsEverythingAndLoadsNothing(t *testing.T) {
	f := newFixture(t)
	a := f.do(t, "GET", "/docs", "")
	page := string(a.body)
	if policy := a.header.Get("Content-Security-Policy"); a.status != 200 || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("got %d with the policy %q", a.status, policy)
	}
	for where, op := range operations(t) {
		if strings.Count(page, `<article id="`+op.OperationID+`">`) != 1 {
			t.Errorf("%s (%s) is not shown once", where, op.OperationID)
		}
	}
	for name := range document(t).Components.Schemas {
		if strings.Count(page, `<article id="schema-`+name+`">`) != 1 {
			t.Errorf("schema %s is not shown once", name)
		}
	}
	for _, link := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `id="`+link[1]+`"`) {
			t.Errorf("a link leads to #%s, which is not there", link[1])
		}
	}
	for _, loaded := range regexp.MustCompile(`(?:src|rel="[^"]+" href)="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if file := f.do(t, "GET", loaded[1], ""); !strings.HasPrefix(loaded[1], "/") || file.status != 200 {
			t.Errorf("the page loads %s, which answers %d", loaded[1], file.status)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "style=") || strings.Contains(page, "<style") {
		t.Error("the page holds what its policy stops")
	}
}
