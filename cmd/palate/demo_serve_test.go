package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// After its report the demo serves page and API until it is interrupted, and
// leaves nothing behind.
func TestTheDemoServesUntilItIsInterrupted(t *testing.T) {
	race.Long(t)
	temporary := t.TempDir()
	p := program.StartWith(t, []string{"TMPDIR=" + temporary}, "demo", "--pictures", "30", "--ratings", "24", "--addr", "127.0.0.1:0", "--data", filepath.Join(temporary, "not-used"))
	s := program.Server{Process: p}
	program.Eventually(t, "the demo tells its address", func() bool {
		select {
		case <-p.Ended:
			t.Fatalf("the demo ended: %s", p.ErrOut.String())
		default:
		}
		if found := program.ServingAt.FindStringSubmatch(p.ErrOut.String()); found != nil {
			s.URL = found[1]
		}
		return s.URL != ""
	})
	if out := p.Out.String(); !strings.Contains(out, "What the visitor would like best") {
		t.Errorf("got %q before it served, want the report", out)
	}
	response, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(page), "<title>") {
		t.Errorf("the page: got status %d, %d bytes and %v", response.StatusCode, len(page), err)
	}
	response.Body.Close()
	if got := s.Images(url.Values{}); len(got) != 30 {
		t.Errorf("got %d images, want 30", len(got))
	}
	type scores struct {
		Scores []struct{ Probability float64 }
	}
	if got := program.Get[scores](s, "/v1/profiles/me/scores", url.Values{"limit": {"10"}}); len(got.Scores) != 10 {
		t.Errorf("got %d scores, want 10", len(got.Scores))
	}
	if r := p.Interrupt(); r.Code != exitDone {
		t.Errorf("interrupted: got exit code %d: %s", r.Code, r.Err)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("got %v left behind (%v), want nothing", left, err)
	}
}
