package flat

import (
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// kind says which attribute a term is a value of. The numbers are part of the
// side file's format.
type kind byte

const (
	artist kind = iota + 1
	licence
	site
	category
	year
	liked    // by the profile
	disliked // by the profile
	lastKind = disliked
)

// term is one value of one attribute; year is 0 and text empty where the
// other one is meant.
type term struct {
	kind kind
	text string
	year int
}

// terms is the dictionary of attributes with the rows that have each.
type terms struct {
	codes map[term]uint32
	names []term // by code
	rows  []*roaring.Bitmap
	years map[int]uint32 // their codes
}

func newTerms() *terms { return &terms{codes: make(map[term]uint32), years: make(map[int]uint32)} }

// code gives the code of a term, a new one if need be.
func (t *terms) code(name term) uint32 {
	if code, known := t.codes[name]; known {
		return code
	}
	code := uint32(len(t.names))
	t.codes[name] = code
	t.names = append(t.names, name)
	t.rows = append(t.rows, roaring.New())
	if name.kind == year {
		t.years[name.year] = code
	}
	return code
}

// rowsOf gives the rows of a term, nil if it is not known.
func (t *terms) rowsOf(name term) *roaring.Bitmap {
	if code, known := t.codes[name]; known {
		return t.rows[code]
	}
	return nil
}

// encode gives the codes of attributes, ascending, each once.
func (t *terms) encode(a index.Attributes) []uint32 {
	codes := make([]uint32, 0, len(a.Artists)+len(a.Licences)+len(a.Sites)+len(a.Categories)+len(a.Years)+len(a.Verdicts))
	for _, list := range []struct {
		kind  kind
		texts []string
	}{{artist, a.Artists}, {licence, a.Licences}, {site, a.Sites}, {category, a.Categories}} {
		for _, text := range list.texts {
			codes = append(codes, t.code(term{kind: list.kind, text: text}))
		}
	}
	for _, y := range a.Years {
		codes = append(codes, t.code(term{kind: year, year: y}))
	}
	for _, profile := range slices.Sorted(maps.Keys(a.Verdicts)) {
		if name, judged := verdictTerm(profile, a.Verdicts[profile]); judged {
			codes = append(codes, t.code(name))
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// verdictTerm gives the term of a verdict; a skip has none.
func verdictTerm(p palate.Profile, v palate.Verdict) (term, bool) {
	switch v {
	case palate.Like:
		return term{kind: liked, text: string(p)}, true
	case palate.Dislike:
		return term{kind: disliked, text: string(p)}, true
	}
	return term{}, false
}

// decode is encode's inverse, the order of lists aside.
func (t *terms) decode(codes []uint32) (a index.Attributes) {
	for _, code := range codes {
		switch name := t.names[code]; name.kind {
		case artist:
			a.Artists = append(a.Artists, name.text)
		case licence:
			a.Licences = append(a.Licences, name.text)
		case site:
			a.Sites = append(a.Sites, name.text)
		case category:
			a.Categories = append(a.Categories, name.text)
		case year:
			a.Years = append(a.Years, name.year)
		case liked, disliked:
			if a.Verdicts == nil {
				a.Verdicts = make(map[palate.Profile]palate.Verdict)
			}
			a.Verdicts[palate.Profile(name.text)] = palate.Like
			if name.kind == disliked {
				a.Verdicts[palate.Profile(name.text)] = palate.Dislike
			}
		}
	}
	return a
}

// judge changes codes as one judgement says.
func (t *terms) judge(codes []uint32, j index.Judgement) []uint32 {
	next := make([]uint32, 0, len(codes)+1)
	for _, code := range codes {
		if name := t.names[code]; name.kind < liked || name.text != string(j.Profile) {
			next = append(next, code)
		}
	}
	if name, judged := verdictTerm(j.Profile, j.Verdict); judged {
		next = append(next, t.code(name))
		slices.Sort(next)
	}
	return next
}

// move takes a row from the terms it had to those it has.
func (t *terms) move(row uint32, had, has []uint32) {
	for _, code := range had {
		if _, stays := slices.BinarySearch(has, code); !stays {
			t.rows[code].Remove(row)
		}
	}
	for _, code := range has {
		if _, there := slices.BinarySearch(had, code); !there {
			t.rows[code].Add(row)
		}
	}
}
