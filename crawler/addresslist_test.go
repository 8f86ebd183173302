package crawler_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

func TestListsOfAddressesAreRead(t *testing.T) {
	for name, test := range map[string]struct {
		text   string
		want   []string
		source palate.Source // of the first
	}{
		"lines": {"# mine\nhttps://a.example/1.jpg\n\n https://b.example/page \r\n", []string{"https://a.example/1.jpg", "https://b.example/page"}, palate.Source{}},
		"commas": {"url,caption,artist,date,license\nhttps://a.example/1.jpg,\"Wheat, <b>ripe</b>\",Anna Bell,c. 1889,https://creativecommons.org/licenses/by/4.0/\nhttps://a.example/2,Sea,,,\n",
			[]string{"https://a.example/1.jpg", "https://a.example/2"}, palate.Source{Title: "Wheat, ripe", Artist: "Anna Bell", Date: "c. 1889", Year: 1889, LicenceURL: "https://creativecommons.org/licenses/by/4.0/"}},
		"tabs":       {"title\tURL\nWheat\thttps://a.example/1.jpg\n", []string{"https://a.example/1.jpg"}, palate.Source{Title: "Wheat"}},
		"one column": {"url\nhttps://a.example/1.jpg\n", []string{"https://a.example/1.jpg"}, palate.Source{}},
	} {
		t.Run(name, func(t *testing.T) {
			seeds, err := crawler.ReadAddresses(strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range seeds {
				got = append(got, s.URL)
			}
			if !slices.Equal(got, test.want) {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			var s palate.Source
			if seeds[0].Known != nil {
				s = *seeds[0].Known
			}
			if w := test.source; s.Title != w.Title || s.Artist != w.Artist || s.Date != w.Date || s.Year != w.Year || s.LicenceURL != w.LicenceURL {
				t.Errorf("source %+v, want %+v", s, w)
			}
		})
	}
	for _, text := range []string{"no address here\n", "url,title\nftp://x/y,z\n", "PAR1\x15\x04"} {
		if _, err := crawler.ReadAddresses(strings.NewReader(text)); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%q: error %v, want %v", text, err, palate.ErrInvalid)
		}
	}
}
