package probe_test

import (
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/sketch"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/test/race"
)

// painted is a sketch with structure at the scale of a composition.
func painted(seed uint64) *sketch.Sketch {
	random := rand.New(rand.NewPCG(seed, 48))
	var grid [8][8]float64
	for y := range grid {
		for x := range grid[y] {
			grid[y][x] = 40 + 175*random.Float64()
		}
	}
	s := new(sketch.Sketch)
	for y := range sketch.Side {
		for x := range sketch.Side {
			u, v := 7*float64(x)/sketch.Side, 7*float64(y)/sketch.Side
			i, j := int(u), int(v)
			f, g := u-float64(i), v-float64(j)
			s[y*sketch.Side+x] = byte((grid[j][i]*(1-f)+grid[j][i+1]*f)*(1-g) + (grid[j+1][i]*(1-f)+grid[j+1][i+1]*f)*g)
		}
	}
	return s
}

func turned(s *sketch.Sketch) *sketch.Sketch {
	out := *s
	for y := range sketch.Side {
		slices.Reverse(out[y*sketch.Side : (y+1)*sketch.Side])
	}
	return &out
}

func sketched(e probe.Example, s *sketch.Sketch) probe.Example {
	e.Sketch = func() []byte { return s[:] }
	return e
}

// mixed are examples some of which are copies: near in their embeddings,
// mirrored far from them, and not at all.
func mixed(works int) []probe.Example {
	random := rand.New(rand.NewPCG(8, 8))
	var all []probe.Example
	for i, e := range (world{dim: 24, styles: 5, liked: 2, spread: 2}).draw(8, works) {
		s := painted(uint64(i))
		all = append(all, sketched(e, s))
		other := e
		switch i % 5 {
		case 1: // the embedding tells
			other.Image, other.Embedding = imageID(300, i), jitter(random, e.Embedding)
			all = append(all, other)
		case 2: // the picture tells
			other.Image, other.Embedding = imageID(400, i), jitterBy(random, e.Embedding, 2)
			all = append(all, sketched(other, turned(s)))
		}
	}
	return all
}

func groupsWith(t *testing.T, examples []probe.Example, c *probe.Comparisons) map[palate.ImageID]palate.ImageID {
	t.Helper()
	groups, err := probe.GroupsWith(t.Context(), examples, c)
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

// Both ways of telling a copy are needed, and different works stay apart.
func TestCopiesAreFoundByEmbeddingAndByPicture(t *testing.T) {
	race.Long(t)
	for _, works := range []int{5, 100, 300} {
		examples := mixed(works)
		groups := groupsWith(t, examples, probe.NewComparisons())
		first := make(map[palate.ImageID]bool)
		for _, g := range groups {
			first[g] = true
		}
		if len(first) != works && works > 5 || len(groups) != len(examples) || len(first) > works+1 {
			t.Errorf("%d groups of %d works in %d pictures", len(first), works, len(examples))
		}
	}
}

// Whatever was rated, taken back and deleted before, in whatever order, the
// groups are those of a search from nothing.
func TestComparisonsThatRemember(t *testing.T) {
	race.Long(t)
	all := mixed(120)
	random := rand.New(rand.NewPCG(9, 9))
	remembered := probe.NewComparisons()
	var now []probe.Example
	out := slices.Clone(all)
	for step := range 40 {
		random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		random.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
		more, less := random.IntN(20), 0
		switch {
		case step%7 == 6: // nearly all are gone
			less = max(0, len(now)-random.IntN(30))
		case step > 3:
			less = random.IntN(20)
		}
		more, less = min(more, len(out)), min(less, len(now))
		now, out = append(now, out[:more]...), out[more:]
		out, now = append(out, now[:less]...), now[less:]
		if step%9 == 8 && len(now) > 0 { // a picture has another embedding now
			now[0].Embedding = jitterBy(random, now[0].Embedding, 1)
		}
		got, want := groupsWith(t, now, remembered), groupsWith(t, now, probe.NewComparisons())
		if !maps.Equal(got, want) {
			t.Fatalf("step %d, %d examples: remembered comparisons give other groups", step, len(now))
		}
	}
}

// What was remembered of another model's embeddings is forgotten.
func TestComparisonsOfAnotherModel(t *testing.T) {
	c := probe.NewComparisons()
	for _, dim := range []int{24, 40, 24} {
		examples := world{dim: dim, styles: 5, liked: 2, spread: 2}.draw(3, 60)
		if got, want := groupsWith(t, examples, c), groupsWith(t, examples, probe.NewComparisons()); !maps.Equal(got, want) {
			t.Errorf("%d values: other groups", dim)
		}
	}
}

// A later search compares what is new: nothing else is asked for its sketch.
func TestComparisonsAskForWhatIsNew(t *testing.T) {
	c := probe.NewComparisons()
	var asked int
	all := world{dim: 24, styles: 5, liked: 2, spread: 2}.draw(4, 201)
	for i := range all {
		s := painted(uint64(i))
		all[i].Sketch = func() []byte {
			asked++ // one search goes on at a time, see below
			return s[:]
		}
	}
	procs := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(procs)
	groupsWith(t, all[:200], c)
	before := asked
	groupsWith(t, all[:200], c)
	again := asked
	groupsWith(t, all, c)
	if before < 200 || again != before || asked-again > 100 {
		t.Errorf("%d sketches at first, %d for nothing new, %d for one more", before, again-before, asked-again)
	}
}
