package catalogtest

import (
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

func testFacets(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"count what the filter gives": facetsCount,
		"are found in any script":     facetsFound,
	})
}

// facetsCount holds each count to what the filter of the value gives.
func facetsCount(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 7) // Artist 0 has 3, the others 2
	twice := sourceOf(0)
	twice.Address = "https://elsewhere.example/0.jpg"
	add(t, c, picture(0), twice) // two sources are one image
	edit(t, c, ids[3], palate.Source{Artist: "Edited", Year: -44})
	nothing := palate.Source{Address: "https://img.example/none.jpg", Site: "bare", RetrievedAt: day}
	add(t, c, picture(8), nothing)
	filters := map[catalog.Facet]func(string) index.Filter{
		catalog.ArtistFacet:   func(v string) index.Filter { return index.Filter{Artists: []string{v}} },
		catalog.LicenceFacet:  func(v string) index.Filter { return index.Filter{Licences: []string{v}} },
		catalog.SiteFacet:     func(v string) index.Filter { return index.Filter{Sites: []string{v}} },
		catalog.CategoryFacet: func(v string) index.Filter { return index.Filter{Categories: []string{v}} },
	}
	for facet, filter := range filters {
		for _, v := range must(c.FacetValues(ctx, catalog.FacetQuery{Facet: facet, Limit: 100}))(t) {
			equal(t, string(facet)+" "+v.Value, v.Images, must(c.CountImages(ctx, filter(v.Value)))(t))
		}
	}
	equalList(t, "artists", must(c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.ArtistFacet, Limit: 100}))(t),
		[]catalog.FacetValue{{Value: "Artist 0", Images: 2}, {Value: "Artist 1", Images: 2}, {Value: "Artist 2", Images: 2}, {Value: "Edited", Images: 1}})
	equalList(t, "first years", must(c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.YearFacet, Limit: 2}))(t),
		[]catalog.FacetValue{{Value: "-44", Images: 1}, {Value: "1900", Images: 1}})
	equal(t, "categories", must(c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.CategoryFacet, Limit: 1}))(t)[0], catalog.FacetValue{Value: "paintings", Images: 7})
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[1], "a test"))
	equal(t, "an artist after a deletion", must(c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.ArtistFacet, Search: "artist 1", Limit: 1}))(t)[0].Images, 1)
	_, err := c.FacetValues(ctx, catalog.FacetQuery{Facet: "colour", Limit: 1})
	wantKind(t, "no facet", err, palate.ErrInvalid)
	_, err = c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.ArtistFacet})
	wantKind(t, "no limit", err, palate.ErrInvalid)
}

func facetsFound(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	for i, artist := range []string{"葛飾北斎", "Михаил Врубель", "محمود سعيد", "राजा रवि वर्मा", "Jozef Czapski", "Ōgata Kōrin", "100% Wool_"} {
		s := sourceOf(i)
		s.Artist = artist
		add(t, c, picture(i), s)
	}
	for search, want := range map[string]string{"北": "葛飾北斎", "ВРУБ": "Михаил Врубель", "سعيد": "محمود سعيد", "रवि": "राजा रवि वर्मा", "czap": "Jozef Czapski", "ŌGATA": "Ōgata Kōrin", "%": "100% Wool_", "l_": "100% Wool_"} {
		got := must(c.FacetValues(t.Context(), catalog.FacetQuery{Facet: catalog.ArtistFacet, Search: search, Limit: 10}))(t)
		equalList(t, "found by "+search, got, []catalog.FacetValue{{Value: want, Images: 1}})
	}
}
