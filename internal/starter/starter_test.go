package starter_test

import (
	"errors"
	"log/slog"
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
