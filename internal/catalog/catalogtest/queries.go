package catalogtest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

var noFilter index.Filter

func sortAll(lists ...[]string) {
	for _, list := range lists {
		slices.Sort(list)
	}
}

func testQueries(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"pages cover all once in order":          pages,
		"pages are stable under inserts":         stablePages,
		"pages are stable under deletions":       deletedBetweenPages,
		"bad queries are refused":                badQueries,
		"a search finds parts letter case aside": searches,
		"a search finds names of files":          searchesNames,
		"filters agree with a plain model":       filters,
	})
}

func listAll(t *testing.T, c catalog.Catalog, q catalog.ImageQuery) []palate.ImageID {
	t.Helper()
	var all []palate.ImageID
	for {
		page := must(c.ListImages(t.Context(), q))(t)
		if len(page.Images) > q.Limit {
			t.Fatalf("a page has %d images, want at most %d", len(page.Images), q.Limit)
		}
		all = append(all, idsOf(page.Images)...)
		if page.Next == "" {
			return all
		}
		q.After = page.Next
	}
}

func pages(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	equal(t, "empty", len(listAll(t, c, catalog.ImageQuery{Limit: 3})), 0)
	ids := fill(t, c, 12)
	for _, limit := range []int{1, 5, 6, 12, 1000} {
		equalList(t, fmt.Sprint("oldest by ", limit), listAll(t, c, catalog.ImageQuery{Order: catalog.Oldest, Limit: limit}), ids)
		equalList(t, fmt.Sprint("newest by ", limit), listAll(t, c, catalog.ImageQuery{Order: catalog.Newest, Limit: limit}), backwards(ids))
	}
	equalList(t, "default order", listAll(t, c, catalog.ImageQuery{Limit: 5}), backwards(ids))
	page := must(c.ListImages(t.Context(), catalog.ImageQuery{Limit: 12}))(t)
	equal(t, "Next of the last page", page.Next, "")
	equal(t, "sources", len(page.Images[3].Sources), 1)
}

func stablePages(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ids := fill(t, c, 6)
	var got []palate.ImageID
	q := catalog.ImageQuery{Limit: 2}
	for n := 100; ; n++ {
		page := must(c.ListImages(t.Context(), q))(t)
		got = append(got, idsOf(page.Images)...)
		add(t, c, picture(n), sourceOf(n))
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	equalList(t, "pages read while images come", got, backwards(ids))
}

func deletedBetweenPages(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ids := fill(t, c, 6)
	page := must(c.ListImages(t.Context(), catalog.ImageQuery{Order: catalog.Oldest, Limit: 2}))(t)
	// The cursor's own image goes, and the newest, whose place must not be
	// given to the next one that comes.
	ok(t, "delete", c.DeleteImage(t.Context(), ids[1], "x"))
	ok(t, "delete", c.DeleteImage(t.Context(), ids[5], "x"))
	fresh := add(t, c, picture(50), sourceOf(50))
	rest := listAll(t, c, catalog.ImageQuery{Order: catalog.Oldest, Limit: 2, After: page.Next})
	equalList(t, "rest", rest, []palate.ImageID{ids[2], ids[3], ids[4], fresh})
}

func badQueries(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	fill(t, c, 3)
	next := must(c.ListImages(t.Context(), catalog.ImageQuery{Order: catalog.Newest, Limit: 1}))(t).Next
	for what, q := range map[string]catalog.ImageQuery{
		"no limit":               {},
		"negative limit":         {Limit: -1},
		"limit above 1000":       {Limit: 1001},
		"unknown order":          {Limit: 1, Order: "best"},
		"cursor that is none":    {Limit: 1, After: "abc"},
		"cursor of other order":  {Limit: 1, After: next, Order: catalog.Oldest},
		"cursor with a tail":     {Limit: 1, After: next + "x"},
		"cursor that is an SQL":  {Limit: 1, After: "1; DROP TABLE images"},
		"cursor with no number ": {Limit: 1, After: "newest:"},
	} {
		_, err := c.ListImages(t.Context(), q)
		wantKind(t, what, err, palate.ErrInvalid)
	}
}

func searches(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	titles := []string{"Die große Welle", "ΟΔΥΣΣΕΥΣ", "Ночной Дозор", "100% _real_", "Étude"}
	var ids []palate.ImageID
	for n, title := range titles {
		ids = append(ids, add(t, c, picture(n), palate.Source{Address: "a", Title: title, Artist: "Käthe " + strings.Repeat("K", n)}))
	}
	// A second source is searched too.
	add(t, c, picture(0), palate.Source{Address: "b", Title: "The Great Wave", Artist: "Hokusai"})
	for _, test := range []struct {
		search string
		want   []palate.ImageID
	}{
		{"welle", ids[:1]}, {"WELLE", ids[:1]}, {"GROSSE", ids[:1]}, {"große", ids[:1]}, {"great w", ids[:1]}, {"hOKU", ids[:1]},
		{"οδυσσευς", ids[1:2]}, {"дозор", ids[2:3]}, {"0% _", ids[3:4]}, {"%", ids[3:4]}, {"e\u0301tude", ids[4:]}, {"éTU", ids[4:]},
		{"käthe", ids}, {"kkkk", ids[4:]}, {"WelleKäthe", nil}, {"absent", nil},
	} {
		got := listAll(t, c, catalog.ImageQuery{Search: test.search, Order: catalog.Oldest, Limit: 2})
		equalList(t, test.search, got, test.want)
	}
}

// searchesNames holds that what a file is called is searched where it is the
// title, and only there.
func searchesNames(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	found := func(want map[string][]palate.ImageID) {
		t.Helper()
		for search, want := range want {
			equalList(t, search, listAll(t, c, catalog.ImageQuery{Search: search, Order: catalog.Oldest, Limit: 2}), want)
		}
	}
	var ids []palate.ImageID
	for n, s := range []palate.Source{
		{OriginalName: "Graue Straße.v2.png", Artist: "Käthe"}, {OriginalName: "神奈川沖浪裏.jpg"}, {OriginalName: "rot.png", Title: "Morgen"},
		{OriginalName: ".verdeckt"}, {Artist: "Niemand"},
	} {
		s.Address = fmt.Sprintf("file:///%d", n)
		ids = append(ids, add(t, c, picture(n), s))
	}
	found(map[string][]palate.ImageID{
		"GRAUE STRASSE": ids[:1], "straße.V2": ids[:1], "käthe": ids[:1], "v2käthe": nil, "奈川沖": ids[1:2], "png": nil, "jpg": nil, "rot": nil, "morgen": ids[2:3], "verdeckt": ids[3:4],
	})
	// One source has a title, the other none.
	add(t, c, picture(2), palate.Source{Address: "file:///copy", OriginalName: "Матин.png"})
	add(t, c, picture(1), palate.Source{Address: "https://museum.example/1", OriginalName: "0001.jpg", Title: "The Great Wave"})
	found(map[string][]palate.ImageID{"МАТИН": ids[2:3], "morgen": ids[2:3], "浪裏": ids[1:2], "great wave": ids[1:2], "0001": nil})
	// An edit without a title has no file, and one with a title hides nothing.
	edit(t, c, ids[0], palate.Source{Artist: "Élise"})
	found(map[string][]palate.ImageID{"graue": ids[:1], "élise": ids[:1]})
	edit(t, c, ids[0], palate.Source{Title: "Rue grise"})
	found(map[string][]palate.ImageID{"graue": ids[:1], "rue": ids[:1], "élise": nil})
	// The source is given a title, and loses it again.
	add(t, c, picture(0), palate.Source{Address: "file:///0", OriginalName: "Graue Straße.v2.png", Title: "Gasse"})
	found(map[string][]palate.ImageID{"graue": nil, "gasse": ids[:1]})
	add(t, c, picture(0), palate.Source{Address: "file:///0", OriginalName: "Graue Straße.v2.png"})
	found(map[string][]palate.ImageID{"graue": ids[:1], "gasse": nil})
	ok(t, "DeleteImage", c.DeleteImage(t.Context(), ids[1], "a test"))
	equal(t, "title in the trash", must(c.Trash(t.Context(), time.Time{}, 1))(t)[0].Title, "The Great Wave")
	ok(t, "DeleteImage", c.DeleteImage(t.Context(), ids[3], "a test"))
	equal(t, "title in the trash of a file", must(c.LatestTrash(t.Context(), time.Time{}, 1))(t)[0].Title, ".verdeckt")
	found(map[string][]palate.ImageID{"浪裏": nil})
	ok(t, "RestoreImage", c.RestoreImage(t.Context(), ids[1]))
	found(map[string][]palate.ImageID{"浪裏": ids[1:2]})
}

// filters holds random filters against a plain reading of index.Filter.
func filters(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	r := rand.New(rand.NewPCG(1, 2))
	var ids []palate.ImageID
	pick := func(word string, n int) string { return fmt.Sprint(word, r.IntN(n)) }
	for n := range 60 {
		for k := range 1 + r.IntN(3) {
			s := palate.Source{Address: fmt.Sprint("a", k), Site: pick("site", 3), Artist: pick("artist", 5), Licence: pick("licence", 3)}
			if r.IntN(3) > 0 {
				s.Year = 1800 + r.IntN(10)
			}
			if r.IntN(4) == 0 {
				s.Artist = ""
			}
			for range r.IntN(3) {
				s.Categories = append(s.Categories, pick("category", 4))
			}
			add(t, c, picture(n), s)
		}
		ids = append(ids, picture(n).ID)
	}
	for range 90 {
		verdict := []palate.Verdict{palate.Like, palate.Dislike, palate.Skip}[r.IntN(3)]
		rate(t, c, palate.Profile(pick("p", 2)), ids[r.IntN(len(ids))], verdict)
	}
	attributes := must(c.AttributesOf(t.Context(), ids))(t)
	for range 300 {
		f := randomFilter(r, ids)
		var want []palate.ImageID
		for _, id := range ids {
			if passes(f, id, attributes[id]) {
				want = append(want, id)
			}
		}
		got := listAll(t, c, catalog.ImageQuery{Filter: f, Order: catalog.Oldest, Limit: 7})
		if !slices.Equal(got, want) {
			t.Errorf("filter %+v: got %d images, want %d", f, len(got), len(want))
		}
		equal(t, fmt.Sprintf("count of %+v", f), must(c.CountImages(t.Context(), f))(t), len(want))
	}
	var none index.Filter
	if !reflect.DeepEqual(noFilter, none) {
		t.Fatal("a test changed the empty filter")
	}
}

func randomFilter(r *rand.Rand, ids []palate.ImageID) index.Filter {
	var f index.Filter
	texts := func(word string, n int) (list []string) {
		if r.IntN(4) == 0 {
			for range 1 + r.IntN(3) {
				list = append(list, fmt.Sprint(word, r.IntN(n+1)))
			}
		}
		return list
	}
	profile := func() palate.Profile {
		if r.IntN(5) == 0 {
			return palate.Profile(fmt.Sprint("p", r.IntN(3)))
		}
		return ""
	}
	some := func() []palate.ImageID {
		list := []palate.ImageID{}
		for range r.IntN(40) {
			list = append(list, ids[r.IntN(len(ids))])
		}
		return append(list, picture(999).ID)
	}
	f.Artists, f.Licences, f.Sites, f.Categories = texts("artist", 5), texts("licence", 3), texts("site", 3), texts("category", 4)
	if r.IntN(5) == 0 {
		f.YearFrom = 1800 + r.IntN(10)
	}
	if r.IntN(5) == 0 {
		f.YearTo = 1800 + r.IntN(10)
	}
	f.JudgedBy, f.NotJudgedBy, f.LikedBy, f.DislikedBy = profile(), profile(), profile(), profile()
	switch r.IntN(8) {
	case 0:
		f.IDs = some()
	case 1:
		f.IDs = []palate.ImageID{}
	}
	if r.IntN(4) == 0 {
		f.NotIDs = some()
	}
	return f
}

// passes says of one image what the comments of index.Filter say.
func passes(f index.Filter, id palate.ImageID, a index.Attributes) bool {
	one := func(wanted, had []string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, func(s string) bool { return slices.Contains(had, s) })
	}
	judged := func(p palate.Profile) bool { return a.Verdicts[p] != "" }
	year := f.YearFrom == 0 && f.YearTo == 0 || slices.ContainsFunc(a.Years, func(y int) bool {
		return (f.YearFrom == 0 || y >= f.YearFrom) && (f.YearTo == 0 || y <= f.YearTo)
	})
	return one(f.Artists, a.Artists) && one(f.Licences, a.Licences) && one(f.Sites, a.Sites) && one(f.Categories, a.Categories) && year &&
		(f.JudgedBy == "" || judged(f.JudgedBy)) && (f.NotJudgedBy == "" || !judged(f.NotJudgedBy)) &&
		(f.LikedBy == "" || a.Verdicts[f.LikedBy] == palate.Like) && (f.DislikedBy == "" || a.Verdicts[f.DislikedBy] == palate.Dislike) &&
		(f.IDs == nil || slices.Contains(f.IDs, id)) && !slices.Contains(f.NotIDs, id)
}
