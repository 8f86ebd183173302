package catalogtest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
)

func testImages(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"come back as they were added":           imagesComeBack,
		"many sources and none overwrites":       manySources,
		"text of any script and length":          anyText,
		"bytes that are no text do not harm":     brokenText,
		"lookups keep the order asked":           lookups,
		"found by external id":                   externalIDs,
		"found as people name them":              named,
		"found by address":                       byAddress,
		"what can't be is refused":               imagesRefused,
		"a cancelled context ends calls":         cancelledContext,
		"after Close all is unavailable":         afterClose,
		"a second handle sees what was written":  secondHandle,
		"attributes gather from all sources":     attributes,
		"a source refreshed loses old filtering": refreshedFilters,
	})
}

func imagesComeBack(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	image, source := picture(1), sourceOf(1)
	added := must(c.AddImage(t.Context(), image, source, nil))(t)
	equal(t, "first AddImage", added, catalog.Added{Image: true, Source: true})
	got := must(c.Image(t.Context(), image.ID))(t)
	image.Sources = []palate.Source{source}
	if !reflect.DeepEqual(got, image) {
		t.Errorf("got  %+v\nwant %+v", got, image)
	}
	equal(t, "same again", must(c.AddImage(t.Context(), image, source, nil))(t), catalog.Added{})
	equal(t, "images after the same again", must(c.CountImages(t.Context(), noFilter))(t), 1)
	bare := picture(2)
	id := add(t, c, bare, palate.Source{Address: "/pictures/a.jpg", Site: "folder"})
	got = must(c.Image(t.Context(), id))(t)
	if s := got.Sources[0]; s.RetrievedAt.IsZero() || s.Year != 0 || len(s.Categories) != 0 {
		t.Errorf("bare source came back as %+v", s)
	}
}

func manySources(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	image := picture(1)
	var want []palate.Source
	for n := range 5 {
		s := sourceOf(n)
		equal(t, "added", must(c.AddImage(t.Context(), image, s, nil))(t), catalog.Added{Image: n == 0, Source: true})
		want = append(want, s)
	}
	// The same address of another image is another source.
	add(t, c, picture(2), sourceOf(3))
	fresh := want[2]
	fresh.Title, fresh.Artist, fresh.Year, fresh.Categories = "Another title", "", 0, []string{"one", "two", "three"}
	equal(t, "refresh", must(c.AddImage(t.Context(), image, fresh, nil))(t), catalog.Added{})
	want[2] = fresh
	got := must(c.Image(t.Context(), image.ID))(t).Sources
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func anyText(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	for n, text := range []string{
		"神奈川沖浪裏", "Ночной дозор", "لوحة", "🖼️🎨", "a\x00b", "quote ' \" \\ % _ ;--", "\ufeffbom", "e\u0301 \u00e9",
		strings.Repeat("長い題", 200_000),
	} {
		s := sourceOf(n)
		s.Title, s.Artist, s.Credit, s.Categories = text, text, text, []string{text, text + "!"}
		s.Address += text
		id := add(t, c, picture(n), s)
		got := must(c.Image(t.Context(), id))(t).Sources[0]
		if !reflect.DeepEqual(got, s) {
			t.Errorf("text %d of %d bytes came back otherwise", n, len(text))
		}
		known := must(c.Addresses(t.Context(), []string{s.Address, s.Address + "x"}))(t)
		equalList(t, "standing", known, []crawler.Standing{crawler.StandingKept, crawler.StandingNew})
		filter := noFilter
		filter.Artists = []string{text}
		equal(t, "filtered by artist", must(c.CountImages(t.Context(), filter))(t), 1)
		filter = noFilter
		filter.Categories = []string{text + "!"}
		equal(t, "filtered by category", must(c.CountImages(t.Context(), filter))(t), 1)
	}
}

// Bytes that are not UTF-8 may be mended or refused, but what was accepted
// comes back as text and is found by what was given.
func brokenText(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	s := sourceOf(1)
	s.Title, s.Artist, s.Address = "ti\xfftle", "ar\xc3", "/home/\xe9t\xe9.jpg"
	_, err := c.AddImage(t.Context(), picture(1), s, nil)
	if errors.Is(err, palate.ErrInvalid) {
		return
	}
	ok(t, "AddImage", err)
	got := must(c.Image(t.Context(), picture(1).ID))(t)
	if strings.ToValidUTF8(got.Title(), "") != got.Title() {
		t.Errorf("title came back as %q, want valid text", got.Title())
	}
	equalList(t, "standing", must(c.Addresses(t.Context(), []string{s.Address}))(t), []crawler.Standing{crawler.StandingKept})
	filter := noFilter
	filter.Artists = []string{s.Artist}
	equal(t, "filtered by artist", must(c.CountImages(t.Context(), filter))(t), 1)
}

func lookups(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ids := fill(t, c, 6)
	asked := []palate.ImageID{ids[4], picture(99).ID, ids[0], ids[5]}
	got := must(c.ImagesByID(t.Context(), asked))(t)
	equalList(t, "ImagesByID", idsOf(got), []palate.ImageID{ids[4], ids[0], ids[5]})
	for _, image := range got {
		equal(t, "sources", len(image.Sources), 1)
	}
	equal(t, "no ids", len(must(c.ImagesByID(t.Context(), nil))(t)), 0)
	_, err := c.Image(t.Context(), picture(99).ID)
	wantKind(t, "Image", err, palate.ErrNotFound)
	known := must(c.Addresses(t.Context(), []string{"https://new.example", sourceOf(3).Address, "", sourceOf(0).Address}))(t)
	equalList(t, "Addresses", known, []crawler.Standing{crawler.StandingNew, crawler.StandingKept, crawler.StandingNew, crawler.StandingKept})
	equal(t, "no addresses", len(must(c.Addresses(t.Context(), nil))(t)), 0)
}

func byAddress(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	for n := range 3 {
		source := sourceOf(n)
		if n < 2 {
			source.Address = "/pictures/B\xe4ume.png" // replaced, as in every description
		}
		must(c.AddImage(t.Context(), picture(n), source, nil))(t)
	}
	got := must(c.ImagesByAddress(t.Context(), "/pictures/B\xe4ume.png"))(t)
	if len(got) != 2 || got[0].ID != picture(0).ID || got[1].ID != picture(1).ID {
		t.Errorf("got %+v, want the first two, oldest first", got)
	}
	equal(t, "unknown", len(must(c.ImagesByAddress(t.Context(), "/pictures"))(t)), 0)
}

func named(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ids := fill(t, c, 5)
	s := sourceOf(1)
	s.OriginalName, s.Page, s.ExternalID = "Mönch am Meer.jpg", "https://museum.example/monk", "inv-7"
	s.Address += "?second"
	add(t, c, picture(1), s)
	s.Address, s.ExternalID, s.Page = "https://museum.example/copy.jpg", "", ""
	add(t, c, picture(3), s)
	text := ids[2].String()
	for name, want := range map[string][]palate.ImageID{
		text: {ids[2]}, text[:12]: {ids[2]}, strings.ToUpper(text[:11]): {ids[2]}, strings.ReplaceAll(text, "-", "")[:17]: {ids[2]},
		text[:3]: nil, "": nil, "-": nil, "xyz0": nil, text + "0": nil, text[:8] + "zz": nil,
		sourceOf(4).Address:               {ids[4]},
		"https://museum.example/monk":     {ids[1]},
		"https://museum.example/copy.jpg": {ids[3]},
		"inv-7":                           {ids[1]},
		"Mönch am Meer.jpg":               {ids[1], ids[3]},
		"Mönch":                           nil,
	} {
		if got := idsOf(must(c.ImagesNamed(t.Context(), name, 10))(t)); !slices.Equal(got, want) {
			t.Errorf("%q names %v, want %v", name, got, want)
		}
	}
	equalList(t, "at most one", idsOf(must(c.ImagesNamed(t.Context(), "Mönch am Meer.jpg", 1))(t)), ids[1:2])
	_, err := c.ImagesNamed(t.Context(), text, 0)
	wantKind(t, "no limit", err, palate.ErrInvalid)
}

func externalIDs(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ids := fill(t, c, 3)
	s := sourceOf(10)
	s.ExternalID = "obj-1"
	add(t, c, picture(0), s)
	s.Address += "?again"
	add(t, c, picture(0), s)
	got := must(c.ImagesByExternalID(t.Context(), "obj-1"))(t)
	equalList(t, "obj-1", idsOf(got), ids[:2])
	equal(t, "unknown", len(must(c.ImagesByExternalID(t.Context(), "obj-99"))(t)), 0)
	add(t, c, picture(5), palate.Source{Address: "/x"})
	equal(t, "empty", len(must(c.ImagesByExternalID(t.Context(), ""))(t)), 0)
}

func imagesRefused(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	unchanged(t, c, "refused images", func() {
		for what, change := range map[string]func(*catalog.Image, *palate.Source){
			"id of another file": func(i *catalog.Image, _ *palate.Source) { i.ID = picture(2).ID },
			"no address":         func(_ *catalog.Image, s *palate.Source) { s.Address = "" },
			"no pixels":          func(i *catalog.Image, _ *palate.Source) { i.Width = 0 },
			"no format":          func(i *catalog.Image, _ *palate.Source) { i.Format = "" },
		} {
			image, source := picture(1), sourceOf(1)
			change(&image, &source)
			_, err := c.AddImage(t.Context(), image, source, nil)
			wantKind(t, what, err, palate.ErrInvalid)
		}
		_, err := c.AddImage(t.Context(), picture(1), sourceOf(1), &catalog.CrawlTask{Crawl: "none", Task: crawler.Task{ID: 7}})
		wantKind(t, "task of no crawl", err, palate.ErrNotFound)
	})
	equal(t, "images kept", must(c.CountImages(t.Context(), noFilter))(t), 0)
}

func cancelledContext(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.AddImage(ctx, picture(1), sourceOf(1), nil)
	wantKind(t, "AddImage", err, context.Canceled)
	_, err = c.ListImages(ctx, catalog.ImageQuery{Limit: 1})
	wantKind(t, "ListImages", err, context.Canceled)
	_, err = c.AcquireLease(ctx, "train")
	wantKind(t, "AcquireLease", err, context.Canceled)
	add(t, c, picture(2), sourceOf(2))
	equal(t, "images", must(c.CountImages(t.Context(), noFilter))(t), 1)
}

func afterClose(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	other := again()
	id := add(t, c, picture(1), sourceOf(1))
	ok(t, "Close", c.Close())
	_, err := c.Image(t.Context(), id)
	wantKind(t, "Image", err, palate.ErrUnavailable)
	_, err = c.AddImage(t.Context(), picture(2), sourceOf(2), nil)
	wantKind(t, "AddImage", err, palate.ErrUnavailable)
	_, err = c.AcquireLease(t.Context(), "train")
	wantKind(t, "AcquireLease", err, palate.ErrUnavailable)
	ok(t, "second Close", c.Close())
	equal(t, "images in the other handle", must(other.CountImages(t.Context(), noFilter))(t), 1)
}

func secondHandle(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	other := again()
	for n := range 5 {
		image := picture(n)
		add(t, c, image, sourceOf(n))
		image.Sources = []palate.Source{sourceOf(n)}
		if got := must(other.Image(t.Context(), image.ID))(t); !reflect.DeepEqual(got, image) {
			t.Errorf("got  %+v\nwant %+v", got, image)
		}
		c, other = other, c
	}
}

func attributes(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ids := fill(t, c, 3)
	further := sourceOf(7)
	further.Artist, further.Categories = "Artist 0", []string{"paintings", "further"}
	add(t, c, picture(0), further)
	bare := add(t, c, picture(9), palate.Source{Address: "/x"})
	rate(t, c, "me", ids[0], palate.Like)
	rate(t, c, "you", ids[0], palate.Dislike)
	rate(t, c, "she", ids[0], palate.Like)
	rate(t, c, "she", ids[0], palate.Skip)
	got := must(c.AttributesOf(t.Context(), []palate.ImageID{ids[0], bare, picture(99).ID}))(t)
	equal(t, "images with attributes", len(got), 2)
	a := got[ids[0]]
	sortAll(a.Artists, a.Licences, a.Sites, a.Categories)
	equalList(t, "artists", a.Artists, []string{"Artist 0"})
	equalList(t, "licences", a.Licences, []string{"CC0"})
	equalList(t, "sites", a.Sites, []string{"example"})
	equalList(t, "categories", a.Categories, []string{"further", "paintings", "parity 0"})
	equal(t, "years", len(a.Years), 2)
	want := map[palate.Profile]palate.Verdict{"me": palate.Like, "you": palate.Dislike}
	if !reflect.DeepEqual(a.Verdicts, want) {
		t.Errorf("verdicts: got %v, want %v", a.Verdicts, want)
	}
	if b, there := got[bare]; !there || len(b.Artists)+len(b.Licences)+len(b.Sites)+len(b.Categories)+len(b.Years)+len(b.Verdicts) != 0 {
		t.Errorf("bare image: got %+v, %v, want no attributes", b, there)
	}
	equal(t, "of nothing", len(must(c.AttributesOf(t.Context(), nil))(t)), 0)

	verdicts := must(c.VerdictsOf(t.Context(), []palate.ImageID{ids[0], bare, picture(99).ID}))(t)
	if want := map[palate.ImageID]map[palate.Profile]palate.Verdict{ids[0]: want, bare: {}}; !reflect.DeepEqual(verdicts, want) {
		t.Errorf("verdicts alone: got %v, want %v", verdicts, want)
	}
	equal(t, "verdicts of nothing", len(must(c.VerdictsOf(t.Context(), nil))(t)), 0)
}

func refreshedFilters(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	id := add(t, c, picture(1), sourceOf(1))
	s := sourceOf(1)
	s.Artist, s.Categories, s.Title = "Somebody", []string{"fresh"}, "Neu"
	add(t, c, picture(1), s)
	for category, want := range map[string]int{"paintings": 0, "fresh": 1} {
		f := noFilter
		f.Categories = []string{category}
		equal(t, category, must(c.CountImages(t.Context(), f))(t), want)
	}
	for search, want := range map[string]int{"Picture": 0, "neu": 1} {
		page := must(c.ListImages(t.Context(), catalog.ImageQuery{Search: search, Limit: 10}))(t)
		equal(t, search, len(page.Images), want)
	}
	equalList(t, "categories", must(c.Image(t.Context(), id))(t).Sources[0].Categories, []string{"fresh"})
}
