package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

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
	query, known := facets[q.Facet]
	if !known {
		return nil, c.translate(ctx, "facet values", fmt.Errorf("%q is no facet: %w", q.Facet, palate.ErrInvalid))
	}
	if err := checkLimit(q.Limit, 1001); err != nil {
		return nil, c.translate(ctx, "facet values", err)
	}
	wanted := fold(q.Search)
	err = c.read(ctx, "facet values", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		values = nil
		for len(values) < q.Limit && rows.Next() {
			var v catalog.FacetValue
			if err := rows.Scan(&v.Value, &v.Images); err != nil {
				return err
			}
			// SQLite folds only the letters of ASCII.
			if wanted == "" || strings.Contains(fold(v.Value), wanted) {
				values = append(values, v)
			}
		}
		return rows.Err()
	})
	return values, err
}
