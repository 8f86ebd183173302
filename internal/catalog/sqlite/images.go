package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
)

// uploadSite marks sources whose address names no place: two uploads may
// share one, so a tombstone of one says nothing of the other.
const uploadSite = "upload"

// AddImage implements catalog.Images. An image whose ID is not that of its
// SHA256 is ErrInvalid.
func (c *Catalog) AddImage(ctx context.Context, image catalog.Image, source palate.Source, finished *catalog.CrawlTask) (catalog.Added, error) {
	if err := errors.Join(checkImage(image), checkDamage(image), checkSource(source), checkFound(source)); err != nil {
		return catalog.Added{}, c.translate(ctx, "add image", err)
	}
	source = mendSource(source)
	var added catalog.Added
	err := c.write(ctx, "add image", func(ctx context.Context, tx *sql.Tx) error {
		added = catalog.Added{}
		var claimed frontierTask
		var err error
		if finished != nil {
			if claimed, err = openTask(ctx, tx, finished.Crawl, finished.Task.ID); err != nil {
				return err
			}
		}
		if added.Tombstoned, err = isTombstoned(ctx, tx, image.ID, source); err != nil {
			return err
		}
		outcome := crawler.Outcome{State: crawler.Lost, Reason: "deleted"}
		if !added.Tombstoned && finished != nil && finished.Most > 0 {
			if added.TooMany, err = tooMany(ctx, tx, image.ID, claimed.crawl, finished.Most); err != nil {
				return err
			}
			outcome.Reason = string(crawler.KeptTooMany)
		}
		if !added.Tombstoned && !added.TooMany {
			if added, outcome, err = addImage(ctx, tx, image, source, claimed); err != nil {
				return err
			}
		}
		if finished == nil {
			return nil
		}
		if image.Damage != "" && outcome.State == crawler.Kept {
			outcome.Reason = crawler.ReasonDamaged
		}
		return endTask(ctx, tx, claimed, outcome)
	})
	if err != nil {
		return catalog.Added{}, err
	}
	if finished != nil {
		c.claims.release(finished.Crawl, finished.Task.ID)
	}
	return added, nil
}

// tooMany reports an image that is new, of a crawl that has as many as it may.
func tooMany(ctx context.Context, tx *sql.Tx, id palate.ImageID, crawl int64, most int) (bool, error) {
	have, err := addedBy(ctx, tx, crawl)
	if err != nil || have < most {
		return false, err
	}
	there, err := scanOne[bool](tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM images WHERE id = ?)", id[:]))
	return !there, err
}

// addImage writes the image and its source and says how a task that found
// them ends.
func addImage(ctx context.Context, tx *sql.Tx, image catalog.Image, source palate.Source, claimed frontierTask) (catalog.Added, crawler.Outcome, error) {
	var added catalog.Added
	outcome := crawler.Outcome{State: crawler.Kept}
	var no int64
	var crawl, round sql.NullInt64
	err := tx.QueryRowContext(ctx, "SELECT no, crawl, round FROM images WHERE id = ?", image.ID[:]).Scan(&no, &crawl, &round)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		added.Image = true
		if no, err = insertImage(ctx, tx, image, claimed); err != nil {
			return added, outcome, err
		}
	case err != nil:
		return added, outcome, err
	case claimed.crawl != 0 && crawl.Int64 == claimed.crawl && round.Int64 == claimed.round:
		added.Duplicate = true
		outcome = crawler.Outcome{State: crawler.Lost, Reason: "duplicate"}
	default:
		outcome = crawler.Outcome{State: crawler.Known}
	}
	if !added.Image {
		if err := hearOf(ctx, tx, no, image); err != nil {
			return added, outcome, err
		}
	}
	if added.Source, err = putSource(ctx, tx, no, source); err != nil {
		return added, outcome, err
	}
	return added, outcome, recordChange(ctx, tx, catalog.ImageChanged, change{image: image.ID})
}

func checkImage(i catalog.Image) error {
	var problems []error
	if i.ID != palate.NewImageID(i.SHA256) {
		problems = append(problems, fmt.Errorf("image id %v is not that of its SHA-256, %v: %w", i.ID, palate.NewImageID(i.SHA256), palate.ErrInvalid))
	}
	if i.Width < 1 || i.Height < 1 || i.Bytes < 1 {
		problems = append(problems, fmt.Errorf("image of %d×%d pixels in %d bytes: %w", i.Width, i.Height, i.Bytes, palate.ErrInvalid))
	}
	return errors.Join(append(problems, checkName("image format", i.Format), checkTime("image's time", i.AddedAt))...)
}

func checkSource(s palate.Source) error {
	if s.Address == "" {
		return fmt.Errorf("source has no address: %w", palate.ErrInvalid)
	}
	return checkTime("source's time", s.RetrievedAt)
}

func mendSource(s palate.Source) palate.Source {
	for _, text := range []*string{
		&s.Address, &s.Page, &s.Site, &s.ExternalID, &s.OriginalName, &s.Title, &s.Artist,
		&s.Date, &s.Medium, &s.Licence, &s.LicenceURL, &s.Credit,
	} {
		*text = mend(*text)
	}
	categories := make([]string, len(s.Categories))
	for i, category := range s.Categories {
		categories[i] = mend(category)
	}
	s.Categories = categories
	s.RetrievedAt = orNow(s.RetrievedAt)
	return s
}

func insertImage(ctx context.Context, tx *sql.Tx, i catalog.Image, claimed frontierTask) (no int64, err error) {
	var crawl, round sql.NullInt64
	if claimed.crawl != 0 {
		crawl, round = sql.NullInt64{Int64: claimed.crawl, Valid: true}, sql.NullInt64{Int64: claimed.round, Valid: true}
	}
	result, err := tx.ExecContext(ctx,
		`INSERT INTO images (id, sha256, bytes, format, width, height, added_at, crawl, round, damage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		i.ID[:], i.SHA256[:], i.Bytes, i.Format, i.Width, i.Height, stamp(orNow(i.AddedAt)), crawl, round, damageOf(i))
	if err != nil {
		return 0, err
	}
	if no, err = result.LastInsertId(); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO unembedded (model, image) SELECT no, ? FROM models", no); err != nil {
		return 0, err
	}
	// Of an image that came back after its tombstone was lifted, the log
	// still knows the ratings.
	_, err = tx.ExecContext(ctx, standAgain, nil, no, i.ID[:])
	return no, err
}

// putSource adds or refreshes the source of that address.
func putSource(ctx context.Context, tx *sql.Tx, image int64, s palate.Source) (added bool, err error) {
	year := sql.NullInt64{Int64: int64(s.Year), Valid: s.Year != 0}
	described := []any{
		s.Page, s.Site, s.ExternalID, s.OriginalName, s.Title, s.Artist, year, s.Date, s.Medium,
		s.Licence, s.LicenceURL, s.Credit, stamp(s.RetrievedAt), searchText(s.Title, s.OriginalName, s.Artist), image, s.Address,
	}
	var no int64
	err = tx.QueryRowContext(ctx, `
		UPDATE sources SET page = ?, site = ?, external_id = ?, original_name = ?, title = ?, artist = ?, year = ?,
			date = ?, medium = ?, licence = ?, licence_url = ?, credit = ?, retrieved_at = ?, search = ?
		WHERE image = ? AND address = ? RETURNING no`, described...).Scan(&no)
	if errors.Is(err, sql.ErrNoRows) {
		added = true
		err = tx.QueryRowContext(ctx, `
			INSERT INTO sources (page, site, external_id, original_name, title, artist, year,
				date, medium, licence, licence_url, credit, retrieved_at, search, image, address)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING no`, described...).Scan(&no)
	}
	if err != nil {
		return false, err
	}
	if !added {
		if _, err := tx.ExecContext(ctx, "DELETE FROM categories WHERE source = ?", no); err != nil {
			return false, err
		}
	}
	for place, category := range s.Categories {
		_, err := tx.ExecContext(ctx, "INSERT INTO categories (source, place, category, image) VALUES (?, ?, ?, ?)", no, place, category, image)
		if err != nil {
			return false, err
		}
	}
	return added, nil
}

// Image implements catalog.Images.
func (c *Catalog) Image(ctx context.Context, id palate.ImageID) (catalog.Image, error) {
	images, err := c.ImagesByID(ctx, []palate.ImageID{id})
	if err == nil && len(images) == 0 {
		err = c.translate(ctx, "read image", fmt.Errorf("image %v: %w", id, palate.ErrNotFound))
	}
	if err != nil {
		return catalog.Image{}, err
	}
	return images[0], nil
}

// ImagesByID implements catalog.Images. An id that is named twice is
// returned twice.
func (c *Catalog) ImagesByID(ctx context.Context, ids []palate.ImageID) ([]catalog.Image, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var ordered []catalog.Image
	err := c.read(ctx, "read images", func(ctx context.Context, tx *sql.Tx) error {
		found, err := loadImages(ctx, tx, "SELECT no FROM images WHERE id IN "+idsIn, idList(ids))
		if err != nil {
			return err
		}
		byID := make(map[palate.ImageID]catalog.Image, len(found))
		for _, image := range found {
			byID[image.ID] = image
		}
		for _, id := range ids {
			if image, ok := byID[id]; ok {
				ordered = append(ordered, image)
			}
		}
		return nil
	})
	return ordered, err
}

// ImagesByExternalID implements catalog.Images.
func (c *Catalog) ImagesByExternalID(ctx context.Context, externalID string) ([]catalog.Image, error) {
	var images []catalog.Image
	err := c.read(ctx, "find external id", func(ctx context.Context, tx *sql.Tx) (err error) {
		images, err = loadImages(ctx, tx, "SELECT DISTINCT image FROM sources WHERE external_id = ? AND external_id <> ''", mend(externalID))
		return err
	})
	return images, err
}

// ImagesByAddress implements catalog.Images.
func (c *Catalog) ImagesByAddress(ctx context.Context, address string) ([]catalog.Image, error) {
	var images []catalog.Image
	err := c.read(ctx, "find address", func(ctx context.Context, tx *sql.Tx) (err error) {
		images, err = loadImages(ctx, tx, "SELECT DISTINCT image FROM sources WHERE address = ?", mend(address))
		return err
	})
	return images, err
}

// ImagesNamed implements catalog.Images. An id is looked up in its index; file
// names and pages, which have none, are read through.
func (c *Catalog) ImagesNamed(ctx context.Context, name string, limit int) ([]catalog.Image, error) {
	if err := checkLimit(limit, 1000); err != nil {
		return nil, c.translate(ctx, "find images by name", err)
	}
	if name == "" {
		return nil, nil
	}
	query, args := "SELECT image FROM sources WHERE ?1 IN (address, page, external_id, original_name)", []any{mend(name)}
	if from, to, ok := idsFrom(name); ok {
		query, args = query+" UNION SELECT no FROM images WHERE id BETWEEN ?2 AND ?3", append(args, from[:], to[:])
	}
	var images []catalog.Image
	err := c.read(ctx, "find images by name", func(ctx context.Context, tx *sql.Tx) (err error) {
		numbers, err := collect(from(tx.QueryContext(ctx, "SELECT image FROM ("+query+") ORDER BY image LIMIT "+strconv.Itoa(limit), args...)), scanNumber)
		if err == nil {
			images, err = loadNumbered(ctx, tx, numbers)
		}
		return err
	})
	return images, err
}

// idsFrom gives the first and the last id that begin with these digits.
func idsFrom(prefix string) (first, last palate.ImageID, ok bool) {
	digits := strings.ReplaceAll(prefix, "-", "")
	if len(digits) < catalog.MinPrefix || len(digits) > 2*len(first) {
		return first, last, false
	}
	missing := 2*len(first) - len(digits)
	_, err := hex.Decode(first[:], []byte(digits+strings.Repeat("0", missing)))
	if err == nil {
		_, err = hex.Decode(last[:], []byte(digits+strings.Repeat("f", missing)))
	}
	return first, last, err == nil
}

// Addresses implements catalog.Images. An address that has both an image of
// the collection and a deleted one is StandingKept.
func (c *Catalog) Addresses(ctx context.Context, addresses []string) ([]crawler.Standing, error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	standings := make([]crawler.Standing, len(addresses))
	known := map[string]crawler.Standing{}
	err := c.read(ctx, "look up addresses", func(ctx context.Context, tx *sql.Tx) error {
		list := textList(addresses)
		for _, step := range []struct {
			query    string
			standing crawler.Standing
		}{
			{"SELECT DISTINCT address FROM tombstone_addresses WHERE address IN " + textsIn, crawler.StandingDeleted},
			{"SELECT DISTINCT address FROM sources WHERE address IN " + textsIn, crawler.StandingKept},
		} {
			found, err := collect(from(tx.QueryContext(ctx, step.query, list)), scanText)
			if err != nil {
				return err
			}
			for _, address := range found {
				known[address] = step.standing
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, address := range addresses {
		standings[i] = known[mend(address)]
	}
	return standings, nil
}

func scanText(rows *sql.Rows) (s string, err error) { return s, rows.Scan(&s) }

// imageNo finds the row of an image.
func imageNo(ctx context.Context, tx *sql.Tx, id palate.ImageID) (int64, error) {
	no, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT no FROM images WHERE id = ?", id[:]))
	return no, orNotFound(err, "image %v", id)
}

func nowNS() int64 { return time.Now().UnixNano() }
