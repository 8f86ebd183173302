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
		"and lists go by model":       facetsOfModels,
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

func facetsOfModels(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 5)
	for m, embedded := range map[palate.ModelID][]palate.ImageID{"m1": ids[:2], "m2": ids[1:4], "none": nil} {
		ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: m, Name: "DINO " + string(m), Dim: 2}))
		for _, id := range embedded {
			ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, m, []catalog.ImageEmbedding{{ID: id, Embedding: palate.Embedding{1, 0}}}))
		}
	}
	listed := func(models ...palate.ModelID) []palate.ImageID {
		q := catalog.ImageQuery{Models: models, Order: catalog.Oldest, Limit: 2}
		all := listAll(t, c, q)
		equal(t, "counted", must(c.CountListed(ctx, q))(t), len(all))
		equal(t, "outlined", len(must(c.Outlines(ctx, q))(t)), len(all))
		return all
	}
	equalList(t, "of all", listed(), ids)
	equalList(t, "of the first", listed("m1"), ids[:2])
	equalList(t, "of any of two", listed("m1", "m2"), ids[:4])
	equalList(t, "of one that embedded none", listed("none"), nil)
	equalList(t, "of an unknown one", listed("unknown"), nil)
	equalList(t, "with a search", listAll(t, c, catalog.ImageQuery{Models: []palate.ModelID{"m2"}, Search: "picture 3", Limit: 2}), ids[3:4])
	values := func(search string) []catalog.FacetValue {
		return must(c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.ModelFacet, Search: search, Limit: 10}))(t)
	}
	first, second := catalog.FacetValue{Value: "m1", Name: "DINO m1", Images: 2}, catalog.FacetValue{Value: "m2", Name: "DINO m2", Images: 3}
	equalList(t, "models", values(""), []catalog.FacetValue{second, first})
	equalList(t, "models by name", values("dino M1"), []catalog.FacetValue{first})
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[3], "a test"))
	second.Images = 2
	equalList(t, "models after a deletion", values(""), []catalog.FacetValue{first, second})
	ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "none", []catalog.ImageEmbedding{{ID: ids[4], Embedding: palate.Embedding{1, 0}}}))
	equal(t, "models after an embedding", len(values("")), 3)
	equalList(t, "of the last", listed("none"), ids[4:])
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
