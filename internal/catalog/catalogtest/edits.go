package catalogtest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

func testEdits(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"come first and overwrite nothing":          editsComeFirst,
		"outlast crawls, imports and the trash":     editsLast,
		"are what is filtered by":                   editsFilter,
		"are written only where they say something": editsUnchanged,
	})
}

// edit replaces the edit of an image.
func edit(t *testing.T, c catalog.Catalog, id palate.ImageID, s palate.Source) {
	t.Helper()
	ok(t, "EditImage", c.EditImage(t.Context(), id, func(palate.Source) (palate.Source, error) { return s, nil }))
}

func editsComeFirst(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ids := fill(t, c, 2)
	given := sourceOf(77)
	edit(t, c, ids[0], given)
	got := must(again().Image(t.Context(), ids[0]))(t)
	if len(got.Sources) != 2 || !reflect.DeepEqual(got.Sources[1], sourceOf(0)) {
		t.Fatalf("got the sources %+v, want the edit and what was found as it was", got.Sources)
	}
	if since := time.Since(got.Edit().RetrievedAt); since < 0 || since > time.Hour {
		t.Errorf("the edit is of %v, want now", got.Edit().RetrievedAt)
	}
	want := catalog.NewEdit(given)
	want.RetrievedAt = got.Edit().RetrievedAt
	if !reflect.DeepEqual(got.Sources[0], want) {
		t.Errorf("got the edit %+v\nwant %+v", got.Sources[0], want)
	}
	equal(t, "title", got.Title(), "Picture 77")
	equal(t, "title of another", must(c.Image(t.Context(), ids[1]))(t).Title(), "Picture 1")
	// One field is taken back, the others stay; then all are.
	ok(t, "one field", c.EditImage(t.Context(), ids[0], func(present palate.Source) (palate.Source, error) {
		equal(t, "artist that change gets", present.Artist, "Artist 2")
		present.Title = ""
		return present, nil
	}))
	got = must(c.Image(t.Context(), ids[0]))(t)
	equal(t, "title without its edit", got.Title(), "Picture 0")
	equal(t, "artist beside it", got.Artist(), "Artist 2")
	edit(t, c, ids[0], palate.Source{})
	if got := must(c.Image(t.Context(), ids[0]))(t); !reflect.DeepEqual(got.Sources, []palate.Source{sourceOf(0)}) {
		t.Errorf("taken back: got %+v, want what was found alone", got.Sources)
	}
}

func editsLast(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	id := add(t, c, picture(1), sourceOf(1))
	edit(t, c, id, palate.Source{Title: "Mine", Categories: []string{"b", "a"}})
	fresh := sourceOf(1)
	fresh.Title = "Crawled again"
	add(t, c, picture(1), fresh)
	add(t, c, picture(1), palate.Source{Address: "/pictures/copy.jpg", Site: "folder", Title: "Imported"})
	hold := func(what string) {
		t.Helper()
		image := must(c.Image(t.Context(), id))(t)
		equal(t, what+": title", image.Title(), "Mine")
		equalList(t, what+": categories", image.Edit().Categories, []string{"b", "a"})
		equal(t, what+": what was found", len(image.Found()), 2)
		equal(t, what+": its title", image.Found()[0].Title, "Crawled again")
	}
	hold("found again")
	ok(t, "DeleteImage", c.DeleteImage(t.Context(), id, "test"))
	equal(t, "title in the trash", must(c.Trash(t.Context(), time.Time{}, 1))(t)[0].Title, "Mine")
	// Its address is nowhere, so that it keeps nothing else away.
	other := add(t, c, picture(2), sourceOf(2))
	edit(t, c, other, palate.Source{Title: "Another"})
	equal(t, "another's title", must(c.Image(t.Context(), other))(t).Title(), "Another")
	known := must(c.Addresses(t.Context(), []string{catalog.EditAddress}))(t)
	ok(t, "RestoreImage", c.RestoreImage(t.Context(), id))
	equalList(t, "standing of an edit's address", must(c.Addresses(t.Context(), []string{catalog.EditAddress}))(t), known)
	hold("restored")
}

func editsFilter(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ids := fill(t, c, 3) // Artist 0 to 2, 1900 to 1902
	edit(t, c, ids[0], palate.Source{Title: "Die Wäscherin", Artist: "Édith", Year: 1650, Licence: "CC BY 4.0", Categories: []string{"prints"}})
	for what, f := range map[string]struct {
		of   index.Filter
		want int
	}{
		"the edited artist":        {index.Filter{Artists: []string{"Édith"}}, 1},
		"the artist it replaces":   {index.Filter{Artists: []string{"Artist 0"}}, 0},
		"an artist that is left":   {index.Filter{Artists: []string{"Artist 1"}}, 1},
		"any of them":              {index.Filter{Artists: []string{"Artist 0", "Artist 1", "Édith"}}, 2},
		"the edited licence":       {index.Filter{Licences: []string{"CC BY 4.0"}}, 1},
		"the others' licence":      {index.Filter{Licences: []string{"CC0"}}, 2},
		"the edited category":      {index.Filter{Categories: []string{"prints"}}, 1},
		"the others' category":     {index.Filter{Categories: []string{"paintings"}}, 2},
		"until a year":             {index.Filter{YearTo: 1700}, 1},
		"from a year":              {index.Filter{YearFrom: 1900}, 2},
		"between years":            {index.Filter{YearFrom: 1600, YearTo: 1901}, 2},
		"the site it was found at": {index.Filter{Sites: []string{"example"}}, 3},
		"what was edited":          {index.Filter{Sites: []string{catalog.EditSite}}, 1},
	} {
		equal(t, what, must(c.CountImages(t.Context(), f.of))(t), f.want)
	}
	for search, want := range map[string]int{"wäscher": 1, "ÉDITH": 1, "picture 0": 1} {
		equal(t, "searched for "+search, len(must(c.ListImages(t.Context(), catalog.ImageQuery{Search: search, Limit: 10}))(t).Images), want)
	}
	a := must(c.AttributesOf(t.Context(), ids))(t)
	equalList(t, "artists", a[ids[0]].Artists, []string{"Édith"})
	equalList(t, "licences", a[ids[0]].Licences, []string{"CC BY 4.0"})
	equalList(t, "categories", a[ids[0]].Categories, []string{"prints"})
	equalList(t, "years", a[ids[0]].Years, []int{1650})
	equalList(t, "artists of another", a[ids[1]].Artists, []string{"Artist 1"})
	equalList(t, "years of another", a[ids[1]].Years, []int{1901})
	edit(t, c, ids[0], palate.Source{Title: "Die Wäscherin"})
	equal(t, "the artist again", must(c.CountImages(t.Context(), index.Filter{Artists: []string{"Artist 0"}}))(t), 1)
}

func editsUnchanged(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	id := add(t, c, picture(1), sourceOf(1))
	unchanged(t, c, "an empty edit of nothing", func() { edit(t, c, id, palate.Source{Page: "https://museum.example"}) })
	before := must(c.LastChange(t.Context()))(t)
	edit(t, c, id, palate.Source{Title: "Mine"})
	changes := must(c.ChangesAfter(t.Context(), before, 10))(t)
	if len(changes) != 1 || changes[0].Kind != catalog.ImageChanged || changes[0].Image != id {
		t.Errorf("got the changes %+v, want that of the image", changes)
	}
	at := must(c.Image(t.Context(), id))(t).Edit().RetrievedAt
	broken := errors.New("not today")
	unchanged(t, c, "the same again and what is refused", func() {
		edit(t, c, id, palate.Source{Title: "Mine"})
		wantKind(t, "an error of change", c.EditImage(t.Context(), id, func(palate.Source) (palate.Source, error) { return palate.Source{Title: "x"}, broken }), broken)
		none := func(s palate.Source) (palate.Source, error) { return s, nil }
		wantKind(t, "no image", c.EditImage(t.Context(), picture(9).ID, none), palate.ErrNotFound)
		_, err := c.AddImage(t.Context(), picture(1), palate.Source{Address: catalog.EditAddress, Title: "found"}, nil)
		wantKind(t, "a source at an edit's address", err, palate.ErrInvalid)
	})
	image := must(c.Image(t.Context(), id))(t)
	equal(t, "title", image.Title(), "Mine")
	equal(t, "time", image.Edit().RetrievedAt, at)
}
