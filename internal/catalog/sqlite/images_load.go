package sqlite

import (
	"context"
	"database/sql"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// loadImages reads the images whose numbers the query gives, with all their
// sources, an edit first and then the oldest.
func loadImages(ctx context.Context, tx *sql.Tx, numbers string, args ...any) ([]catalog.Image, error) {
	type row struct {
		no    int64
		image catalog.Image
	}
	rows, err := collect(from(tx.QueryContext(ctx,
		"SELECT no, id, sha256, bytes, format, width, height, added_at, damage FROM images WHERE no IN ("+numbers+") ORDER BY no", args...)),
		func(rows *sql.Rows) (r row, err error) {
			var id, sum sql.RawBytes
			var added int64
			var damage sql.NullString
			i := &r.image
			err = rows.Scan(&r.no, &id, &sum, &i.Bytes, &i.Format, &i.Width, &i.Height, &added, &damage)
			i.Decoded, i.Damage = damage.Valid, damage.String
			copy(i.ID[:], id)
			copy(i.SHA256[:], sum)
			i.AddedAt = unstamp(added)
			return r, err
		})
	if err != nil {
		return nil, err
	}
	images := make([]catalog.Image, len(rows))
	place := make(map[int64]int, len(rows))
	for i, r := range rows {
		images[i] = r.image
		place[r.no] = i
	}
	return images, loadSources(ctx, tx, images, place, numbers, args...)
}

// loadSources fills in the sources; place says where an image's number stands.
func loadSources(ctx context.Context, tx *sql.Tx, images []catalog.Image, place map[int64]int, numbers string, args ...any) error {
	categories, err := loadCategories(ctx, tx, numbers, args...)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `
		SELECT no, image, address, page, site, external_id, original_name, title, artist, coalesce(year, 0),
			date, medium, licence, licence_url, credit, retrieved_at
		FROM sources WHERE image IN (`+numbers+`) ORDER BY image, `+editFirst, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s palate.Source
		var no, image, retrieved int64
		if err := rows.Scan(&no, &image, &s.Address, &s.Page, &s.Site, &s.ExternalID, &s.OriginalName, &s.Title, &s.Artist, &s.Year,
			&s.Date, &s.Medium, &s.Licence, &s.LicenceURL, &s.Credit, &retrieved); err != nil {
			return err
		}
		s.Categories = categories[no]
		s.RetrievedAt = unstamp(retrieved)
		i := &images[place[image]]
		i.Sources = append(i.Sources, s)
	}
	return rows.Err()
}

func loadCategories(ctx context.Context, tx *sql.Tx, numbers string, args ...any) (map[int64][]string, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT source, category FROM categories
		WHERE source IN (SELECT no FROM sources WHERE image IN (`+numbers+`)) ORDER BY source, place`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	categories := map[int64][]string{}
	for rows.Next() {
		var source int64
		var category string
		if err := rows.Scan(&source, &category); err != nil {
			return nil, err
		}
		categories[source] = append(categories[source], category)
	}
	return categories, rows.Err()
}
