package flat

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// gatherShare is the share of rows, one in so many, below which a selection
// is a list and not a bitmap.
const gatherShare = 16

// selection is the living rows that a filter passes: a list, if they are few,
// else a bitmap over all rows.
type selection struct {
	count int
	list  []uint32 // ascending
	all   bitmap
}

// resolve finds what a filter passes; nil is everything. The state must not
// change meanwhile.
func (s *state) resolve(f index.Filter) *selection {
	if f.IsZero() {
		return nil
	}
	must, mustNot, possible := s.sets(f)
	if !possible {
		return &selection{}
	}
	if len(must) == 0 {
		return s.allBut(mustNot)
	}
	rows := must[0]
	if len(must) > 1 {
		rows = roaring.FastAnd(must...)
	}
	for _, not := range mustNot {
		rows = roaring.AndNot(rows, not)
	}
	chosen := &selection{count: int(rows.GetCardinality())}
	if uint32(chosen.count) <= s.view.rows/gatherShare {
		chosen.list = rows.ToArray()
	} else {
		chosen.all = newBitmap(int(s.view.rows))
		rows.WriteDenseTo(chosen.all)
	}
	return chosen
}

func (s *state) allBut(mustNot []*roaring.Bitmap) *selection {
	all := newBitmap(int(s.view.rows))
	all.fill(int(s.view.rows))
	for i, dead := range s.view.dead {
		all[s.view.segments[i].base/64:].take(dead)
	}
	for _, not := range mustNot {
		all.take(not.ToDense())
	}
	return &selection{count: all.count(), all: all}
}

// sets are the sets of rows that a filter asks a row to be in and not to be
// in. It is not possible to pass if one of the former is empty.
func (s *state) sets(f index.Filter) (must, mustNot []*roaring.Bitmap, possible bool) {
	possible = true
	ask := func(any []*roaring.Bitmap) {
		any = slices.DeleteFunc(any, func(b *roaring.Bitmap) bool { return b == nil || b.IsEmpty() })
		switch len(any) {
		case 0:
			possible = false
		case 1:
			must = append(must, any[0])
		default:
			must = append(must, s.union(any))
		}
	}
	for _, list := range []struct {
		kind  kind
		texts []string
	}{{artist, f.Artists}, {licence, f.Licences}, {site, f.Sites}, {category, f.Categories}} {
		if len(list.texts) > 0 {
			var any []*roaring.Bitmap
			for _, text := range list.texts {
				any = append(any, s.terms.rowsOf(term{kind: list.kind, text: text}))
			}
			ask(any)
		}
	}
	if f.YearFrom != 0 || f.YearTo != 0 {
		ask(s.terms.rowsOfYears(f.YearFrom, f.YearTo))
	}
	opinion := func(k kind, p palate.Profile) *roaring.Bitmap { return s.terms.rowsOf(term{kind: k, text: string(p)}) }
	if f.JudgedBy != "" {
		ask([]*roaring.Bitmap{opinion(liked, f.JudgedBy), opinion(disliked, f.JudgedBy)})
	}
	if f.LikedBy != "" {
		ask([]*roaring.Bitmap{opinion(liked, f.LikedBy)})
	}
	if f.DislikedBy != "" {
		ask([]*roaring.Bitmap{opinion(disliked, f.DislikedBy)})
	}
	if f.NotJudgedBy != "" {
		mustNot = append(mustNot, opinion(liked, f.NotJudgedBy), opinion(disliked, f.NotJudgedBy))
	}
	if f.IDs != nil {
		ask([]*roaring.Bitmap{s.rowsByID(f.IDs)})
	}
	if len(f.NotIDs) > 0 {
		mustNot = append(mustNot, s.rowsByID(f.NotIDs))
	}
	mustNot = slices.DeleteFunc(mustNot, func(b *roaring.Bitmap) bool { return b == nil || b.IsEmpty() })
	return must, mustNot, possible
}

// union of many small sets is made in a bitmap over all rows: merging them
// one into the other takes time with the square of their number.
func (s *state) union(sets []*roaring.Bitmap) *roaring.Bitmap {
	var count uint64
	for _, set := range sets {
		count += set.GetCardinality()
	}
	if len(sets) <= 4 || count > uint64(s.view.rows)/4 {
		return roaring.FastOr(sets...)
	}
	all := newBitmap(int(s.view.rows))
	buffer := make([]uint32, 512)
	for _, set := range sets {
		for from := set.ManyIterator(); ; {
			n := from.NextMany(buffer)
			if n == 0 {
				break
			}
			for _, row := range buffer[:n] {
				all.add(int(row))
			}
		}
	}
	return roaring.FromDense(all, false)
}

func (t *terms) rowsOfYears(from, to int) (any []*roaring.Bitmap) {
	for y, code := range t.years {
		if (from == 0 || y >= from) && (to == 0 || y <= to) {
			any = append(any, t.rows[code])
		}
	}
	return any
}

func (s *state) rowsByID(ids []palate.ImageID) *roaring.Bitmap {
	rows := make([]uint32, 0, len(ids))
	for _, id := range ids {
		if row, there := s.rows[id]; there {
			rows = append(rows, row)
		}
	}
	slices.Sort(rows)
	return roaring.BitmapOf(rows...)
}
