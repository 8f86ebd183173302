package catalog_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func TestAnEditTakesThePlaceOfWhatBelongsToIt(t *testing.T) {
	found := palate.Source{Address: "https://museum.example/1.jpg", Site: "museum.example", Title: "Found", Artist: "Roth", Year: 1900, Date: "c. 1900",
		Licence: "CC0", LicenceURL: "https://cc0.example", Categories: []string{"paintings"}, RetrievedAt: time.Unix(7, 0)}
	tests := map[string]struct{ edit, want func(*palate.Source) }{
		"nothing": {func(*palate.Source) {}, func(*palate.Source) {}},
		"a title": {func(s *palate.Source) { s.Title = "Mine" }, func(s *palate.Source) { s.Title = "Mine" }},
		"a year":  {func(s *palate.Source) { s.Year = 1650 }, func(s *palate.Source) { s.Year, s.Date = 1650, "" }},
		"a date":  {func(s *palate.Source) { s.Date = "um 1650" }, func(s *palate.Source) { s.Date = "um 1650" }},
		"another licence": {func(s *palate.Source) { s.Licence = "CC BY 4.0" },
			func(s *palate.Source) { s.Licence, s.LicenceURL = "CC BY 4.0", "" }},
		"the same licence": {func(s *palate.Source) { s.Licence = "CC0" }, func(*palate.Source) {}},
		"categories":       {func(s *palate.Source) { s.Categories = []string{"prints"} }, func(s *palate.Source) { s.Categories = []string{"prints"} }},
	}
	for name, tt := range tests {
		var edit palate.Source
		tt.edit(&edit)
		want := found
		tt.want(&want)
		if got := (catalog.Image{Sources: []palate.Source{catalog.NewEdit(edit), found}}).Described(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got  %+v\nwant %+v", name, got, want)
		}
	}
}
