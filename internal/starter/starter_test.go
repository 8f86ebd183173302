package starter_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/starter"
)

// An operator who opened nothing opened nothing: no parts are even touched.
func TestNothingIsOpenByDefault(t *testing.T) {
	s := starter.New(starter.Parts{}, starter.DefaultConfig(), slog.New(slog.DiscardHandler))
	for _, request := range []starter.Request{
		{Kind: job.Backup},
		{Kind: job.Backup, Deep: true, WithReferenced: true},
		{Kind: job.Import, Path: "/etc"},
		{Kind: job.Crawl, Seeds: []string{"https://museum.example/"}},
	} {
		if _, err := s.Start(t.Context(), request); !errors.Is(err, palate.ErrForbidden) {
			t.Errorf("%+v: got %v, want palate.ErrForbidden", request, err)
		}
	}
	for _, kind := range []job.Kind{"restore", job.FineTune, job.Arena, ""} {
		if _, err := s.Start(t.Context(), starter.Request{Kind: kind}); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("a job of the kind %q: got %v, want palate.ErrInvalid", kind, err)
		}
	}
}

// In whose name a crawl asks is the operator's to allow: without a contact of the
// server's own a request needs one, and strangers may give none.
func TestACrawlHasAContact(t *testing.T) {
	for _, c := range []struct {
		operators, callers string
		allowed            bool
		want               error
	}{
		{"", "", false, palate.ErrForbidden},
		{"", "me@palate.test", false, palate.ErrForbidden},
		{"op@palate.test", "me@palate.test", false, palate.ErrForbidden},
		{"", "", true, palate.ErrInvalid},
		{"", "nobody", true, palate.ErrInvalid},
	} {
		config := starter.DefaultConfig()
		config.Crawler.Contact, config.CallersContact = c.operators, c.allowed
		s := starter.New(starter.Parts{}, config, slog.New(slog.DiscardHandler))
		_, err := s.Start(t.Context(), starter.Request{Kind: job.Crawl, Seeds: []string{"https://museum.example/"}, Crawl: &starter.Crawl{Contact: c.callers, DryRun: true}})
		if !errors.Is(err, c.want) || !strings.Contains(palate.Message(err), "contact") || strings.Contains(palate.Message(err), "\n") {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}
