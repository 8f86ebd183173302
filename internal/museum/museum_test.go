package museum_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

const contactAgent = "palate-test/1 (https://example.org; someone@example.org)"

func newMuseum(t *testing.T, edit func(*museum.Config)) *museum.Museum {
	t.Helper()
	cfg := museum.DefaultConfig()
	if edit != nil {
		edit(&cfg)
	}
	m, err := museum.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// visitor fetches from a running museum.
type visitor struct {
	*testing.T
	museum *museum.Museum
	client *http.Client
}

func open(t *testing.T, edit func(*museum.Config)) visitor {
	t.Helper()
	m := newMuseum(t, edit)
	stop, err := m.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client := m.Client()
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return visitor{t, m, client}
}

func few(n int) func(*museum.Config) {
	return func(c *museum.Config) { c.Pictures, c.PageSize, c.Scale = n, 10, .3 }
}

// try gives the answer and its body; err is of either.
func (v visitor) try(url string) (*http.Response, []byte, error) {
	v.Helper()
	req, err := http.NewRequestWithContext(v.Context(), http.MethodGet, url, nil)
	if err != nil {
		v.Fatal(err)
	}
	req.Header.Set("User-Agent", contactAgent)
	resp, err := v.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

// get insists on 200.
func (v visitor) get(url string) []byte {
	v.Helper()
	resp, body, err := v.try(url)
	if err != nil {
		v.Fatalf("GET %s: %v", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		v.Fatalf("GET %s: status %d, want 200\n%.200s", url, resp.StatusCode, body)
	}
	return body
}

func decode(t *testing.T, data []byte) (*picture.RGB, picture.Info) {
	t.Helper()
	img, info, err := picture.Decode(bytes.NewReader(data), picture.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return img, info
}

func TestASeedGivesTheSameMuseumAndAnotherSeedAnother(t *testing.T) {
	a, b := newMuseum(t, few(12)), newMuseum(t, few(12))
	other := newMuseum(t, func(c *museum.Config) { c.Pictures, c.Scale, c.Seed = 12, .3, 2 })
	for i, w := range a.Works() {
		if got := b.Works()[i]; got.Title != w.Title || got.Style != w.Style || got.Width != w.Width {
			t.Errorf("work %d: %+v, want %+v", i, got, w)
		}
		first, err1 := a.Artwork(i)
		again, err2 := b.Artwork(i)
		changed, err3 := other.Artwork(i)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		if first.SHA256 != again.SHA256 {
			t.Errorf("work %d: the same seed gave other bytes", i)
		}
		if first.SHA256 == changed.SHA256 {
			t.Errorf("work %d: another seed gave the same bytes", i)
		}
	}
}

func TestWorksAreAsVariedAsThoseOfRealSites(t *testing.T) {
	works := newMuseum(t, nil).Works()
	if len(works) != 420 {
		t.Fatalf("%d works, want 420", len(works))
	}
	count := make(map[string]int)
	titles, names := make(map[string]int), make(map[string]bool)
	for _, w := range works {
		count["style "+w.Style]++
		count["artist "+w.Artist]++
		count[w.ContentType]++
		count["licence "+w.Licence]++
		titles[w.Title]++
		names[w.FileName] = true
		if len(w.Title) > 240 {
			count["long title"]++
		}
		if len(w.Title) != utf8.RuneCountInString(w.Title) {
			count["non-ASCII title"]++
		}
		if w.Orientation != 1 {
			count["turned"]++
		}
		if !utf8.ValidString(w.Title) || !utf8.ValidString(w.FileName) || len(w.FileName) > 240 {
			t.Errorf("work %d: title %q, file name %q", w.Index, w.Title, w.FileName)
		}
		if min(w.Width, w.Height) < 320 || max(w.Width, w.Height) > 900 {
			t.Errorf("work %d: %d×%d, want sides of 320 to 900", w.Index, w.Width, w.Height)
		}
		if w.Artist == "" || w.Year < 1850 || w.Medium == "" || w.LicenceURL == "" || len(w.Categories) < 2 {
			t.Errorf("work %d has gaps: %+v", w.Index, w)
		}
	}
	if len(names) != len(works) {
		t.Errorf("%d file names for %d works", len(names), len(works))
	}
	if titles["Untitled Composition"] != 2 {
		t.Errorf("%d works share the shared title, want 2", titles["Untitled Composition"])
	}
	for _, style := range museum.Styles() {
		if n := count["style "+style]; n != 42 {
			t.Errorf("%d works of %s, want 42", n, style)
		}
	}
	for what, atLeast := range map[string]int{
		"long title": 10, "non-ASCII title": 100, "turned": 10, "image/png": 20, "image/gif": 2, "image/jpeg": 300,
	} {
		if count[what] < atLeast {
			t.Errorf("%s: %d works, want at least %d", what, count[what], atLeast)
		}
	}
	kinds := func(prefix string) (n int) {
		for k := range count {
			if strings.HasPrefix(k, prefix) {
				n++
			}
		}
		return n
	}
	if got := kinds("artist "); got < 12 {
		t.Errorf("%d artists, want a dozen", got)
	}
	if got := kinds("licence "); got < 4 {
		t.Errorf("%d licences, want several", got)
	}
}

func TestAnArtistWorksMostlyInOneOrTwoStyles(t *testing.T) {
	byArtist := make(map[string][]int)
	styles := museum.Styles()
	for _, w := range newMuseum(t, nil).Works() {
		if byArtist[w.Artist] == nil {
			byArtist[w.Artist] = make([]int, len(styles))
		}
		byArtist[w.Artist][slices.Index(styles, w.Style)]++
	}
	for artist, counts := range byArtist {
		var all int
		for _, n := range counts {
			all += n
		}
		slices.Sort(counts)
		top := counts[len(counts)-1] + counts[len(counts)-2]
		if share := float64(top) / float64(all); share < .5 || share == 1 {
			t.Errorf("%s: %.2f of the works in two styles, want most but not all", artist, share)
		}
	}
}

func TestEveryPictureDecodesUprightAtItsSize(t *testing.T) {
	race.Long(t)
	// The first 130 works hold every file kind and every orientation.
	m := newMuseum(t, func(c *museum.Config) { c.Pictures, c.Scale = 130, .3 })
	turned := make(map[int]bool)
	for _, w := range m.Works() {
		data, err := m.File(w.Index)
		if err != nil {
			t.Fatal(err)
		}
		img, _ := decode(t, data)
		if img.Width != w.Width || img.Height != w.Height {
			t.Errorf("work %d: decoded %d×%d, want %d×%d (orientation %d)", w.Index, img.Width, img.Height, w.Width, w.Height, w.Orientation)
		}
		if kind := http.DetectContentType(data); kind != w.ContentType {
			t.Errorf("work %d: bytes are %s, want %s", w.Index, kind, w.ContentType)
		}
		turned[w.Orientation] = true
	}
	if len(turned) != 8 {
		t.Errorf("orientations seen: %v, want all 8", turned)
	}
}

func TestArtworksNameEveryFileByItsHash(t *testing.T) {
	m := newMuseum(t, few(25))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Artworks(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	all, err := m.Artworks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[palate.ImageID]int)
	for i, a := range all {
		data, err := m.File(i)
		if err != nil {
			t.Fatal(err)
		}
		if want := sha256.Sum256(data); a.Index != i || a.SHA256 != want || a.ImageID != palate.NewImageID(want) || a.Bytes != len(data) {
			t.Errorf("artwork %d: %+v", i, a)
		}
		if other, ok := seen[a.ImageID]; ok {
			t.Errorf("works %d and %d are the same file", other, i)
		}
		seen[a.ImageID] = i
	}
}
