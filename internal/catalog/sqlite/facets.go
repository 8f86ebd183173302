package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// facets are the grouped queries of all values, each over an index that holds
// value and image.
var facets = map[catalog.Facet]string{
	catalog.ArtistFacet:   facetOf("artist", "artist <> ''", counts("artist"), "2 DESC, 1"),
	catalog.LicenceFacet:  facetOf("licence", "licence <> ''", counts("licence"), "2 DESC, 1"),
	catalog.SiteFacet:     facetOf("site", "site <> ''", "TRUE", "2 DESC, 1"),
	catalog.YearFacet:     facetOf("year", "year IS NOT NULL", counts("year"), "1"),
	catalog.CategoryFacet: "SELECT category, count(DISTINCT image) FROM categories WHERE category <> '' AND " + categoryCounts("categories") + " GROUP BY category ORDER BY 2 DESC, 1",
}

func facetOf(column, has, counts, order string) string {
	return fmt.Sprintf("SELECT %s, count(DISTINCT image) FROM sources WHERE %s AND %s GROUP BY %s ORDER BY %s", column, has, counts, column, order)
}

// FacetValues implements catalog.Facets.
func (c *Catalog) FacetValues(ctx context.Context, q catalog.FacetQuery) (values []catalog.FacetValue, err error) {
	if facets[q.Facet] == "" && q.Facet != catalog.ModelFacet {
		return nil, c.translate(ctx, "facet values", fmt.Errorf("%q is no facet: %w", q.Facet, palate.ErrInvalid))
	}
	if err := checkLimit(q.Limit, 1001); err != nil {
		return nil, c.translate(ctx, "facet values", err)
	}
	wanted := fold(q.Search)
	err = c.read(ctx, "facet values", func(ctx context.Context, tx *sql.Tx) error {
		var list facetList
		if q.Facet == catalog.ModelFacet {
			list, err = modelValues(ctx, tx)
		} else {
			list, err = c.facets.values(ctx, tx, q.Facet)
		}
		if err != nil {
			return err
		}
		values = nil
		for i, v := range list.values {
			if len(values) == q.Limit {
				break
			}
			// SQLite folds only the letters of ASCII.
			if wanted == "" || strings.Contains(list.folded[i], wanted) {
				values = append(values, v)
			}
		}
		return nil
	})
	return values, err
}

// modelValues are counted anew each time: a model comes with every embedding,
// and there are few of them.
func modelValues(ctx context.Context, tx *sql.Tx) (list facetList, err error) {
	list.values, err = collect(from(tx.QueryContext(ctx,
		"SELECT id, name, (SELECT count(*) FROM embeddings WHERE model = m.no) AS images FROM models m WHERE images > 0 ORDER BY images DESC, id")),
		func(rows *sql.Rows) (v catalog.FacetValue, err error) {
			return v, rows.Scan(&v.Value, &v.Name, &v.Images)
		})
	for _, v := range list.values {
		list.folded = append(list.folded, fold(v.Value)+"\x00"+fold(v.Name))
	}
	return list, err
}

// facetLists keeps the values of facets until an image changes.
type facetLists struct {
	mu    sync.Mutex
	lists map[catalog.Facet]facetList
}

// facetList are all values of a facet with what a search of them looks
// through.
type facetList struct {
	upTo   uint64
	values []catalog.FacetValue
	folded []string
}

// mostValues is how many values of a facet are kept.
const mostValues = 100_000

// values are those of a facet as the transaction sees them.
func (f *facetLists) values(ctx context.Context, tx *sql.Tx, facet catalog.Facet) (facetList, error) {
	f.mu.Lock()
	list, kept := f.lists[facet]
	f.mu.Unlock()
	if kept {
		_, last, known, err := imagesChanged(ctx, tx, list.upTo, "kind IN ('image', 'deleted')", 0)
		if err != nil {
			return list, err
		}
		if known && last >= list.upTo {
			list.upTo = last
			f.keep(facet, list)
			return list, nil
		}
	}
	last, err := lastChange(ctx, tx)
	if err != nil {
		return list, err
	}
	list = facetList{upTo: last}
	rows, err := tx.QueryContext(context.WithoutCancel(ctx), facets[facet]) // see readTexts
	if err != nil {
		return list, err
	}
	defer rows.Close()
	for rows.Next() {
		var v catalog.FacetValue
		if err := rows.Scan(&v.Value, &v.Images); err != nil {
			return list, err
		}
		list.values, list.folded = append(list.values, v), append(list.folded, fold(v.Value))
	}
	if err := rows.Err(); err != nil {
		return list, err // a list that ends early is not kept
	}
	if len(list.values) <= mostValues {
		f.keep(facet, list)
	}
	return list, nil
}

// keep keeps a list unless a later one is kept.
func (f *facetLists) keep(facet catalog.Facet, list facetList) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lists == nil {
		f.lists = map[catalog.Facet]facetList{}
	}
	if f.lists[facet].upTo <= list.upTo {
		f.lists[facet] = list
	}
}
