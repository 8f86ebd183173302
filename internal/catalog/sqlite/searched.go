package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/palate-art/palate"
)

// texts keeps in memory what searches look through, so that a rare word, for
// which SQLite would have to look at every text there is, is found without it.
// It follows the changes of all processes: texts of images that changed since
// they were read are asked of the database.
type texts struct {
	few    int // so many images may be handed to SQLite by number
	behind int // so many may have changed before all is read anew, if not more of them all

	mu       sync.Mutex
	read     bool // once
	reading  bool // by somebody else at this moment
	tooMuch  bool
	upTo     uint64 // the last change that is heeded
	kept     kept
	isListed map[palate.ImageID]bool // those of changed
}

const (
	// separator is in no text, which are all UTF-8.
	separator = "\xff"
	// mostTexts is how many bytes of texts are kept: those of a million
	// images. Beyond, SQLite looks through them.
	mostTexts = 128 << 20
	// fewFound is how many images a search may find for their numbers to be
	// handed to SQLite. Where more are found, it fills a page before it has
	// seen much.
	fewFound = 1000
	// leastBehind are so few that reading all anew is not worth while.
	leastBehind = 1000
)

// fewWith lists the images with a text in a source, and reports whether they
// are few and all; some of them may be deleted.
func (c *Catalog) fewWith(ctx context.Context, tx *sql.Tx, wanted string) (numbers []int64, few bool, err error) {
	texts, ok, err := c.texts.follow(ctx, tx)
	if err != nil || !ok || wanted == "" {
		return nil, false, err
	}
	return texts.find(ctx, tx, wanted, c.texts.few)
}

// kept are texts as they were read, and the images that have others now.
type kept struct {
	numbers []int64
	ends    []int
	all     string
	bytes   *[256]int // how often each is in all
	changed []palate.ImageID
}

// follow brings the texts up to what the transaction sees; ok is false where
// they can't be.
func (t *texts) follow(ctx context.Context, tx *sql.Tx) (k kept, ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tooMuch || t.reading {
		return k, false, nil
	}
	if t.read {
		ids, last, known, err := imagesChanged(ctx, tx, t.upTo, "kind = 'image'", t.most())
		if err != nil || last < t.upTo {
			return k, false, err // this transaction began before what was heeded
		}
		t.read = known
		for _, id := range ids {
			if !t.isListed[id] {
				t.isListed[id] = true
				t.kept.changed = append(t.kept.changed, id)
			}
		}
		t.upTo = last
		t.read = t.read && len(t.kept.changed) <= t.most()
	}
	if !t.read {
		t.reading = true
		t.mu.Unlock()
		k, last, err := readTexts(ctx, tx)
		t.mu.Lock()
		t.reading = false
		if err != nil {
			return k, false, err
		}
		t.read, t.tooMuch, t.upTo = true, len(k.all) > mostTexts, last
		t.kept = k
		t.isListed = map[palate.ImageID]bool{}
		if t.tooMuch {
			t.kept = kept{}
			return k, false, nil
		}
	}
	return t.kept, true, nil
}

// most is how many images may have changed before all is read anew.
func (t *texts) most() int { return max(t.behind, len(t.kept.numbers)/50) }

// imagesChanged lists up to so many images that changed after a change, and
// the last change there is. It is not known where more did, or where the
// changes have been compacted away.
func imagesChanged(ctx context.Context, tx *sql.Tx, after uint64, kinds string, most int) (ids []palate.ImageID, last uint64, known bool, err error) {
	if last, err = lastChange(ctx, tx); err != nil || last <= after {
		return nil, last, true, err
	}
	compacted, err := scanOne[uint64](tx.QueryRowContext(ctx, "SELECT up_to FROM compaction"))
	if err != nil || after < compacted {
		return nil, last, false, err
	}
	ids, err = collect(from(tx.QueryContext(ctx, "SELECT DISTINCT image FROM changes WHERE number > ? AND "+kinds+" LIMIT ?", int64(after), most+1)), func(rows *sql.Rows) (id palate.ImageID, err error) {
		var raw sql.RawBytes
		err = rows.Scan(&raw)
		copy(id[:], raw)
		return id, err
	})
	return ids, last, len(ids) <= most, err
}

// readTexts reads all texts, or as many as show that they are too much.
func readTexts(ctx context.Context, tx *sql.Tx) (k kept, last uint64, err error) {
	if last, err = lastChange(ctx, tx); err != nil {
		return k, last, err
	}
	var all strings.Builder
	// The driver has a goroutine watch every row of a query that can be
	// cancelled, which takes longer than reading it.
	rows, err := tx.QueryContext(context.WithoutCancel(ctx), "SELECT image, search FROM sources INDEXED BY sources_search ORDER BY image")
	if err != nil {
		return k, last, err
	}
	defer rows.Close()
	var text sql.RawBytes
	for rows.Next() && all.Len() <= mostTexts && ctx.Err() == nil {
		var image int64
		if err := rows.Scan(&image, &text); err != nil {
			return k, last, err
		}
		all.Write(text)
		all.WriteString(separator)
		k.numbers, k.ends = append(k.numbers, image), append(k.ends, all.Len())
	}
	k.all, k.bytes = all.String(), new([256]int)
	for i := range len(k.all) {
		k.bytes[k.all[i]]++
	}
	return k, last, errors.Join(rows.Err(), ctx.Err())
}

// find lists the images with a text, at most so many.
func (k kept) find(ctx context.Context, tx *sql.Tx, wanted string, most int) (numbers []int64, few bool, err error) {
	for at := k.next(wanted, 0); at >= 0; {
		text := sort.SearchInts(k.ends, at+1)
		if n := len(numbers); n == 0 || numbers[n-1] != k.numbers[text] {
			if n == most {
				return nil, false, nil
			}
			numbers = append(numbers, k.numbers[text])
		}
		at = k.next(wanted, k.ends[text])
	}
	if len(k.changed) == 0 {
		return numbers, true, nil
	}
	changed, err := collect(from(tx.QueryContext(ctx, "SELECT no FROM images WHERE id IN "+idsIn+" ORDER BY no", idList(k.changed))), scanNumber)
	if err != nil {
		return nil, false, err
	}
	numbers = slices.DeleteFunc(numbers, func(no int64) bool { _, is := slices.BinarySearch(changed, no); return is })
	now, err := collect(from(tx.QueryContext(ctx, "SELECT DISTINCT image FROM sources INDEXED BY sources_search WHERE image IN (SELECT value FROM json_each(?)) AND instr(search, ?) > 0", numberList(changed), wanted)), scanNumber)
	return append(numbers, now...), err == nil, err
}

// next is where a text is next, from a place on; negative where it is no more.
// It goes from one of its rarest bytes to the next; strings.Index would go from
// place to place.
func (k kept) next(wanted string, from int) int {
	rare := 0
	for i := range len(wanted) {
		if k.bytes[wanted[i]] < k.bytes[wanted[rare]] {
			rare = i
		}
	}
	for from+rare < len(k.all) {
		next := strings.IndexByte(k.all[from+rare:], wanted[rare])
		if next < 0 {
			break
		}
		from += next
		if strings.HasPrefix(k.all[from:], wanted) {
			return from
		}
		from++
	}
	return -1
}

// numberList travels as one parameter.
func numberList(numbers []int64) string {
	list := []byte{'['}
	for i, no := range numbers {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, no, 10)
	}
	return string(append(list, ']'))
}
