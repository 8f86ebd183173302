package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

// conditions is a WHERE clause in the making, over images i.
type conditions struct {
	clauses []string
	args    []any
	// searched looks through the texts of sources s, in the order of their
	// images, through an index that holds nothing else: a page of a frequent
	// word ends soon.
	searched bool
}

// from is what the conditions are over.
func (c *conditions) from() string {
	if c.searched {
		return "sources s INDEXED BY sources_search CROSS JOIN images i ON i.no = s.image"
	}
	return "images i"
}

// place is the number of an image, by which it stands in a list.
func (c *conditions) place() string {
	if c.searched {
		return "s.image"
	}
	return "i.no"
}

// once lets an image of several sources be there once.
func (c *conditions) once() string {
	if c.searched {
		return " GROUP BY s.image"
	}
	return ""
}

func (c *conditions) add(clause string, args ...any) {
	c.clauses = append(c.clauses, clause)
	c.args = append(c.args, args...)
}

func (c *conditions) where() string {
	if len(c.clauses) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.clauses, " AND ")
}

// filter translates an index.Filter; each field becomes a set of image
// numbers that an index of the database gives.
func (c *conditions) filter(f index.Filter) {
	for _, list := range []struct {
		texts         []string
		column, table string
		counts        string
	}{
		{f.Artists, "artist", "sources", counts("artist")},
		{f.Licences, "licence", "sources", counts("licence")},
		{f.Sites, "site", "sources", "TRUE"},
		{f.Categories, "category", "categories", categoryCounts("categories")},
	} {
		if len(list.texts) > 0 {
			c.add(fmt.Sprintf("i.no IN (SELECT image FROM %s WHERE %s IN %s AND %s <> '' AND %s)", list.table, list.column, textsIn, list.column, list.counts), textList(list.texts))
		}
	}
	switch {
	case f.YearFrom != 0 && f.YearTo != 0:
		c.add("i.no IN (SELECT image FROM sources WHERE year BETWEEN ? AND ? AND "+counts("year")+")", f.YearFrom, f.YearTo)
	case f.YearFrom != 0:
		c.add("i.no IN (SELECT image FROM sources WHERE year >= ? AND "+counts("year")+")", f.YearFrom)
	case f.YearTo != 0:
		c.add("i.no IN (SELECT image FROM sources WHERE year <= ? AND "+counts("year")+")", f.YearTo)
	}
	const judged = "(SELECT image FROM standing WHERE profile = ? AND verdict IN ('like', 'dislike'))"
	if f.JudgedBy != "" {
		c.add("i.no IN "+judged, string(f.JudgedBy))
	}
	if f.NotJudgedBy != "" {
		c.add("i.no NOT IN "+judged, string(f.NotJudgedBy))
	}
	if f.LikedBy != "" {
		c.add("i.no IN "+byVerdict, string(f.LikedBy), string(palate.Like))
	}
	if f.DislikedBy != "" {
		c.add("i.no IN "+byVerdict, string(f.DislikedBy), string(palate.Dislike))
	}
	if f.IDs != nil {
		c.add("i.no IN (SELECT no FROM images WHERE id IN "+idsIn+")", idList(f.IDs))
	}
	if len(f.NotIDs) > 0 {
		c.add("i.no NOT IN (SELECT no FROM images WHERE id IN "+idsIn+")", idList(f.NotIDs))
	}
}

// byVerdict are the numbers of the images of which a profile says one thing.
const byVerdict = "(SELECT image FROM standing WHERE profile = ? AND verdict = ?)"

// ListImages implements catalog.Images. The cursor is the place in the order
// of adding, so that images added meanwhile neither shift nor repeat a page.
func (c *Catalog) ListImages(ctx context.Context, q catalog.ImageQuery) (catalog.ImagePage, error) {
	if q.Order == "" {
		q.Order = catalog.Newest
	}
	after, err := checkQuery(q)
	if err != nil {
		return catalog.ImagePage{}, c.translate(ctx, "list images", err)
	}
	var page catalog.ImagePage
	err = c.read(ctx, "list images", func(ctx context.Context, tx *sql.Tx) error {
		where, err := c.listed(ctx, tx, q)
		if err != nil {
			return err
		}
		direction, beyond := directionOf(q.Order), where.place()+" < ?"
		if q.Order == catalog.Oldest {
			beyond = where.place() + " > ?"
		}
		if q.After != "" {
			where.add(beyond, after)
		}
		// One more than asked tells whether there is a next page.
		numbers, err := collect(from(tx.QueryContext(ctx,
			"SELECT i.no FROM "+where.from()+where.where()+where.once()+" ORDER BY "+where.place()+" "+direction+" LIMIT ?",
			append(where.args, q.Limit+1)...)), scanNumber)
		if err != nil {
			return err
		}
		if len(numbers) > q.Limit {
			numbers = numbers[:q.Limit]
			page.Next = string(q.Order) + ":" + strconv.FormatInt(numbers[q.Limit-1], 10)
		}
		page.Images, err = loadNumbered(ctx, tx, numbers)
		return err
	})
	if err != nil {
		return catalog.ImagePage{}, err
	}
	if q.Order == catalog.Newest {
		for i, j := 0, len(page.Images)-1; i < j; i, j = i+1, j-1 {
			page.Images[i], page.Images[j] = page.Images[j], page.Images[i]
		}
	}
	return page, nil
}

// directionOf is that of the numbers of images in an order.
func directionOf(order catalog.ImageOrder) string {
	if order == catalog.Oldest {
		return "ASC"
	}
	return "DESC"
}

// Outlines implements catalog.Images.
func (c *Catalog) Outlines(ctx context.Context, q catalog.ImageQuery) ([]catalog.Outline, error) {
	if q.Order == "" {
		q.Order = catalog.Newest
	}
	q.After, q.Limit = "", 1
	if _, err := checkQuery(q); err != nil {
		return nil, c.translate(ctx, "outline images", err)
	}
	var outlines []catalog.Outline
	err := c.read(ctx, "outline images", func(ctx context.Context, tx *sql.Tx) error {
		where, err := c.listed(ctx, tx, q)
		if err != nil {
			return err
		}
		outlines, err = collect(from(tx.QueryContext(ctx,
			"SELECT i.id, i.width, i.height FROM "+where.from()+where.where()+where.once()+" ORDER BY "+where.place()+" "+directionOf(q.Order), where.args...)),
			func(rows *sql.Rows) (o catalog.Outline, err error) {
				var id []byte
				if err = rows.Scan(&id, &o.Width, &o.Height); err == nil {
					o.ID = palate.ImageID(id) // 16 bytes, as the table demands
				}
				return o, err
			})
		return err
	})
	return outlines, err
}

// listed are the conditions of a list, whatever the page.
func (c *Catalog) listed(ctx context.Context, tx *sql.Tx, q catalog.ImageQuery) (where conditions, err error) {
	where.filter(q.Filter)
	if q.Search != "" {
		wanted := fold(q.Search)
		numbers, few, err := c.fewWith(ctx, tx, wanted)
		switch {
		case err != nil:
			return where, err
		case few:
			where.add("i.no IN (SELECT value FROM json_each(?))", numberList(numbers))
		default:
			where.searched = true
			where.add("instr(s.search, ?) > 0", wanted)
		}
	}
	if q.Damaged {
		where.add("i.damage <> ''")
	}
	if q.SkippedBy != "" {
		where.add("i.no IN "+byVerdict, string(q.SkippedBy), string(palate.Skip))
	}
	if !q.AddedAfter.IsZero() {
		where.add("i.no IN (SELECT no FROM images WHERE added_at > ?)", stamp(within(q.AddedAfter)))
	}
	if len(q.Models) > 0 {
		names := make([]string, len(q.Models))
		for n, id := range q.Models {
			names[n] = string(id)
		}
		where.add("EXISTS (SELECT 1 FROM embeddings WHERE image = i.no AND model IN (SELECT no FROM models WHERE id IN "+textsIn+"))", textList(names))
	}
	if q.Crawled {
		where.add("i.crawl IS NOT NULL")
	}
	return where, nil
}

// checkQuery reads the cursor and refuses what can't be asked.
func checkQuery(q catalog.ImageQuery) (after int64, err error) {
	if q.Order != catalog.Newest && q.Order != catalog.Oldest {
		return 0, fmt.Errorf("order %q is neither newest nor oldest: %w", q.Order, palate.ErrInvalid)
	}
	if err := checkLimit(q.Limit, 1000); err != nil {
		return 0, err
	}
	if q.After == "" {
		return 0, nil
	}
	order, number, _ := strings.Cut(q.After, ":")
	after, err = strconv.ParseInt(number, 10, 64)
	if err != nil || order != string(q.Order) {
		return 0, fmt.Errorf("%q is no cursor of a list with the %s first: %w", q.After, q.Order, palate.ErrInvalid)
	}
	return after, nil
}

// loadNumbered reads images by their numbers, oldest first.
func loadNumbered(ctx context.Context, tx *sql.Tx, numbers []int64) ([]catalog.Image, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	return loadImages(ctx, tx, "SELECT value FROM json_each(?)", numberList(numbers))
}

func scanNumber(rows *sql.Rows) (n int64, err error) { return n, rows.Scan(&n) }

// CountImages implements catalog.Images.
func (c *Catalog) CountImages(ctx context.Context, f index.Filter) (int, error) {
	return c.CountListed(ctx, catalog.ImageQuery{Filter: f})
}

// CountListed implements catalog.Images.
func (c *Catalog) CountListed(ctx context.Context, q catalog.ImageQuery) (int, error) {
	var count int
	err := c.read(ctx, "count images", func(ctx context.Context, tx *sql.Tx) error {
		where, err := c.listed(ctx, tx, q)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT count(DISTINCT i.no) FROM "+where.from()+where.where(), where.args...).Scan(&count)
	})
	return count, err
}
