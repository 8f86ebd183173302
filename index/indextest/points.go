package indextest

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x1dec)) }

// id names point n.
func id(n int) palate.ImageID {
	return palate.NewImageID(sha256.Sum256(fmt.Appendf(nil, "point %d", n)))
}

func ids(numbers ...int) []palate.ImageID {
	all := make([]palate.ImageID, len(numbers))
	for i, n := range numbers {
		all[i] = id(n)
	}
	return all
}

// unit scales to norm 1.
func unit(v []float32) palate.Embedding {
	norm := math.Sqrt(dot(v, v))
	for i := range v {
		v[i] = float32(float64(v[i]) / norm)
	}
	return v
}

func normals(r *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// spread draws a direction.
func spread(r *rand.Rand, dim int) palate.Embedding { return unit(normals(r, dim)) }

// near draws a direction about noise away from a centre.
func near(r *rand.Rand, centre palate.Embedding, noise float64) palate.Embedding {
	v := normals(r, len(centre))
	share := float32(noise / math.Sqrt(float64(len(centre))))
	for i := range v {
		v[i] = centre[i] + share*v[i]
	}
	return unit(v)
}

// axis is the unit vector along one dimension.
func axis(dim, i int) palate.Embedding {
	v := make(palate.Embedding, dim)
	v[i] = 1
	return v
}

// at is the direction whose inner product with axis 0 is cos, the rest along
// axis i.
func at(dim, i int, cos float64) palate.Embedding {
	v := make(palate.Embedding, dim)
	v[0], v[i] = float32(cos), float32(math.Sqrt(1-cos*cos))
	return v
}

var profiles = []palate.Profile{"me", "you", "a-b_c"}

// attributes draws what filters ask about; every list may be empty.
func attributes(r *rand.Rand) index.Attributes {
	texts := func(word string, kinds, most int) (list []string) {
		for _, n := range r.Perm(kinds)[:r.IntN(most+1)] {
			list = append(list, fmt.Sprint(word, " ", n))
		}
		return list
	}
	a := index.Attributes{
		Artists: texts("artist", 7, 2), Licences: texts("licence", 3, 1), Sites: texts("site", 4, 2), Categories: texts("category", 9, 4),
	}
	for _, n := range r.Perm(40)[:r.IntN(3)] {
		a.Years = append(a.Years, 1880+n)
	}
	for _, p := range profiles {
		if v := verdict(r); v != "" {
			if a.Verdicts == nil {
				a.Verdicts = make(map[palate.Profile]palate.Verdict)
			}
			a.Verdicts[p] = v
		}
	}
	return a
}

func verdict(r *rand.Rand) palate.Verdict {
	return []palate.Verdict{"", "", palate.Like, palate.Dislike}[r.IntN(4)]
}

// filter draws a filter with each field set about as often as share says;
// ids are those of points below n.
func filter(r *rand.Rand, share float64, n int) index.Filter {
	var f index.Filter
	set := func() bool { return r.Float64() < share }
	texts := func(word string, kinds int) []string {
		if !set() {
			return nil
		}
		var list []string
		for _, n := range r.Perm(kinds + 1)[:1+r.IntN(3)] { // one that nothing has among them
			list = append(list, fmt.Sprint(word, " ", n))
		}
		return list
	}
	some := func(most int) []palate.ImageID {
		list := make([]palate.ImageID, 0, most)
		for range r.IntN(most + 1) {
			list = append(list, id(r.IntN(n+2)))
		}
		return list
	}
	f.Artists, f.Licences, f.Sites, f.Categories = texts("artist", 7), texts("licence", 3), texts("site", 4), texts("category", 9)
	if set() {
		f.YearFrom = 1875 + r.IntN(50)
	}
	if set() {
		f.YearTo = 1875 + r.IntN(50)
	}
	for _, by := range []*palate.Profile{&f.JudgedBy, &f.NotJudgedBy, &f.LikedBy, &f.DislikedBy} {
		if set() {
			*by = profiles[r.IntN(len(profiles))]
		}
	}
	if set() {
		f.IDs = some(n)
	}
	if set() {
		f.NotIDs = some(n / 2)
	}
	return f
}

// points makes n points with drawn attributes and spread embeddings.
func points(r *rand.Rand, n, dim int) []index.Point {
	all := make([]index.Point, n)
	for i := range all {
		all[i] = index.Point{ID: id(i), Embedding: spread(r, dim), Attributes: attributes(r)}
	}
	return all
}
