package sqlite_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

// What is kept in memory for searches and facets agrees with a plain model,
// whatever is added, edited, deleted and restored meanwhile, here and by
// another process, and whether few images are found or many.
func TestWhatSearchesKeepFollowsEveryChange(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "catalog.db")
	here, there := open(t, path), open(t, path)
	here.KeepTexts(4, 6)
	type known struct{ title, edit, artist string }
	model := map[palate.ImageID]known{}
	deleted := map[palate.ImageID]known{}
	var order []palate.ImageID
	random := rand.New(rand.NewPCG(16, 1))
	words := []string{"Nacht", "NACHT und", "Tag", "夜", "rain\x00", "é", "u", "Tag\x00"}
	some := func(of map[palate.ImageID]known) palate.ImageID {
		ids := make([]palate.ImageID, 0, len(of))
		for _, id := range order {
			if _, is := of[id]; is {
				ids = append(ids, id)
			}
		}
		return ids[random.IntN(len(ids))]
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for step := range 300 {
		c := []catalog.Catalog{here, there}[random.IntN(2)]
		switch n := random.IntN(10); {
		case n < 4 || len(model) < 5:
			sum := sha256.Sum256(fmt.Append(nil, step))
			id := palate.NewImageID(sum)
			k := known{title: words[random.IntN(len(words))], artist: words[random.IntN(len(words))]}
			_, err := c.AddImage(ctx, catalog.Image{ID: id, SHA256: sum, Bytes: 1, Format: "png", Width: 1, Height: 1}, palate.Source{Address: fmt.Sprintf("https://a.example/%d", step), Title: k.title, Artist: k.artist}, nil)
			check(err)
			model[id], order = k, append(order, id)
		case n < 6:
			id := some(model)
			k := model[id]
			k.edit = []string{"", words[random.IntN(len(words))]}[random.IntN(2)]
			check(c.EditImage(ctx, id, func(s palate.Source) (palate.Source, error) { s.Title = k.edit; return s, nil }))
			model[id] = k
		case n < 7:
			id := some(model)
			check(c.DeleteImage(ctx, id, "a test"))
			deleted[id] = model[id]
			delete(model, id)
		case n < 8 && len(deleted) > 0:
			id := some(deleted)
			check(c.RestoreImage(ctx, id))
			model[id] = deleted[id]
			delete(deleted, id)
		case n < 9:
			last, err := c.LastChange(ctx)
			check(err)
			check(c.CompactChanges(ctx, last-min(last, uint64(random.IntN(4)))))
		default:
			_, err := c.Rate(ctx, catalog.Rating{Profile: "me", Image: some(model), Verdict: palate.Like, Shown: palate.ShownAPI})
			check(err)
		}
		wanted := []string{"nacht", "tag", "夜", "E\u0301", "x", "t\x00u", "u", "nacht und", "gn"}[random.IntN(9)]
		folded := strings.NewReplacer("E\u0301", "é").Replace(wanted)
		var want []palate.ImageID
		artists := map[string]int{}
		for _, id := range order {
			k, is := model[id]
			if !is {
				continue
			}
			artists[k.artist]++
			found := false
			for _, text := range []string{k.title + "\x00" + k.artist, k.edit + "\x00"} {
				found = found || strings.Contains(strings.ToLower(text), folded)
			}
			if found {
				want = append(want, id)
			}
		}
		for _, c := range []catalog.Catalog{here, there} {
			if random.IntN(3) == 0 {
				continue // and has more to make up for
			}
			var got []palate.ImageID
			for after := ""; ; {
				page, err := c.ListImages(ctx, catalog.ImageQuery{Search: wanted, Order: catalog.Oldest, Limit: 3, After: after})
				check(err)
				for _, image := range page.Images {
					got = append(got, image.ID)
				}
				if after = page.Next; after == "" {
					break
				}
			}
			slices.SortFunc(got, func(a, b palate.ImageID) int { return slices.Index(order, a) - slices.Index(order, b) })
			if !slices.Equal(got, want) {
				t.Fatalf("step %d: a search for %q got %d images, want %d", step, wanted, len(got), len(want))
			}
			count, err := c.CountListed(ctx, catalog.ImageQuery{Search: wanted, Filter: index.Filter{}})
			check(err)
			if count != len(want) {
				t.Fatalf("step %d: %q counts %d, want %d", step, wanted, count, len(want))
			}
			values, err := c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.ArtistFacet, Limit: 100})
			check(err)
			if len(values) != len(artists) {
				t.Fatalf("step %d: got artists %v, want %v", step, values, artists)
			}
			for _, v := range values {
				if artists[v.Value] != v.Images {
					t.Fatalf("step %d: %q has %d images, want %d", step, v.Value, v.Images, artists[v.Value])
				}
			}
		}
	}
}
