package palate_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
)

// What Validate refuses, Clean drops, and nothing else.
func TestSourcesAreValidatedAndCleaned(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	long := strings.Repeat("é", 1<<19)
	good := func() palate.Source {
		return palate.Source{Address: "/a.png", Page: "https://a.example/p?q=1", Site: "folder", ExternalID: "1", OriginalName: "a.png", Title: "Title",
			Artist: "Artist", Year: 1871, Date: "1871", Medium: "oil", Categories: []string{"sea"}, Licence: "CC0", LicenceURL: "HTTP://cc0.example", Credit: "Museum"}
	}
	for _, fine := range []func(s *palate.Source){
		func(s *palate.Source) {}, func(s *palate.Source) { *s = palate.Source{} },
		func(s *palate.Source) { s.Year = 2027 }, func(s *palate.Source) { s.Year = -45_000 },
		func(s *palate.Source) { s.Title = strings.Repeat("x", 4096) },
	} {
		s := good()
		fine(&s)
		if err := s.Validate(now); err != nil || !reflect.DeepEqual(s.Clean(now), s) {
			t.Errorf("%+v: got %v and %+v, want it as it is", s, err, s.Clean(now))
		}
	}
	for field, wrong := range map[string][]func(s *palate.Source){
		"year": {func(s *palate.Source) { s.Year = 2028 }, func(s *palate.Source) { s.Year = 1e9 }, func(s *palate.Source) { s.Year = -1e9 }},
		"page": {
			func(s *palate.Source) { s.Page = "javascript:alert(1)" }, func(s *palate.Source) { s.Page = "data:text/html,x" },
			func(s *palate.Source) { s.Page = "file:///etc/passwd" }, func(s *palate.Source) { s.Page = " javascript:alert(1)" },
			func(s *palate.Source) { s.Page = "java\nscript:alert(1)" }, func(s *palate.Source) { s.Page = "//a.example/p" },
			func(s *palate.Source) { s.Page = "https:" }, func(s *palate.Source) { s.Page = "https://a.example/" + long },
		},
		"licence_url":   {func(s *palate.Source) { s.LicenceURL = "JavaScript://a.example/%0aalert(1)" }, func(s *palate.Source) { s.LicenceURL = "CC0" }},
		"title":         {func(s *palate.Source) { s.Title = long }},
		"artist":        {func(s *palate.Source) { s.Artist = long }},
		"date":          {func(s *palate.Source) { s.Date = long }},
		"medium":        {func(s *palate.Source) { s.Medium = long }},
		"licence":       {func(s *palate.Source) { s.Licence = long }},
		"credit":        {func(s *palate.Source) { s.Credit = long }},
		"external_id":   {func(s *palate.Source) { s.ExternalID = long }},
		"original_name": {func(s *palate.Source) { s.OriginalName = long }},
		"categories":    {func(s *palate.Source) { s.Categories = []string{"sea", long} }, func(s *palate.Source) { s.Categories = make([]string, 1001) }},
	} {
		for _, change := range wrong {
			s := good()
			change(&s)
			err := s.Validate(now)
			var told *palate.FieldError
			if !errors.Is(err, palate.ErrInvalid) || !errors.As(err, &told) || told.Field != field || len(err.Error()) > 400 {
				t.Errorf("got %.500v, want a short palate.ErrInvalid of %s", err, field)
			}
			clean := s.Clean(now)
			if err := clean.Validate(now); err != nil || clean.Address != s.Address || field != "title" && clean.Title != "Title" {
				t.Errorf("%s: cleaned it is %+v (%v)", field, clean, err)
			}
		}
	}
	s := good()
	s.Categories = []string{"sea", long, "sky"}
	if clean := s.Clean(now); !reflect.DeepEqual(clean.Categories, []string{"sea", "sky"}) || s.Categories[1] != long {
		t.Errorf("got %d categories, want sea and sky, and those of the original as they were", len(clean.Categories))
	}
}
