package probe_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate/probe"
)

// crops gives each picture of a world several near-duplicates with images of
// their own and no common name.
func crops(w world, seed uint64, works, each int) (examples []probe.Example, workOf map[string]int) {
	random := rand.New(rand.NewPCG(seed, 9))
	workOf = make(map[string]int)
	for g, e := range w.draw(seed, works) {
		for crop := range each {
			copied := e
			copied.Image = imageID(uint64(1000+crop), g)
			copied.Embedding = jitter(random, e.Embedding)
			workOf[copied.Image.String()] = g
			examples = append(examples, copied)
		}
	}
	return examples, workOf
}

// Near-duplicates under other names straddle no fold. Labels mean nothing, so
// that whoever has seen a copy knows what nobody can know: without the search
// the report is fooled.
func TestNearDuplicatesDoNotLeak(t *testing.T) {
	w := world{dim: 40, styles: 4, spread: 2, flips: .5}
	examples, workOf := crops(w, 1, 40, 4)
	c := settings()
	_, report := train(t, examples, c)
	if report.Groups != 40 {
		t.Errorf("%d groups, want 40", report.Groups)
	}
	folds := make(map[int]int)
	for _, p := range report.OutOfFold {
		g := workOf[p.Image.String()]
		if fold, seen := folds[g]; seen && fold != p.Fold {
			t.Fatalf("work %d is in folds %d and %d", g, fold, p.Fold)
		}
		folds[g] = p.Fold
	}
	if report.AUC > .75 {
		t.Errorf("AUC %.3f on labels without meaning: copies leak", report.AUC)
	}
	c.NearDuplicates = false
	if _, fooled := train(t, examples, c); fooled.AUC < .9 {
		t.Errorf("AUC %.3f without the search for near-duplicates: this test shows nothing", fooled.AUC)
	}
}

// A work counts once: copies of some pictures do not change the probe.
func TestAWorkCountsOnce(t *testing.T) {
	once := museum.draw(3, 80)
	twice := slices.Clone(once)
	for i, e := range once[:30] {
		e.Image = imageID(500, i)
		twice = append(twice, e)
	}
	c := settings()
	p, report := train(t, once, c)
	q, same := train(t, twice, c)
	if p.Settings.LikeWeight != q.Settings.LikeWeight || same.Groups != report.Groups {
		t.Errorf("class weights %v and %v, %d and %d groups", p.Settings.LikeWeight, q.Settings.LikeWeight, report.Groups, same.Groups)
	}
	if err := c.Enough(twice[:3]); err == nil {
		t.Error("three works are enough")
	}
	copies := slices.Clone(once[:1])
	for i := range 20 {
		e := once[0]
		e.Image = imageID(600, i)
		copies = append(copies, e)
	}
	if err := c.Enough(copies); err == nil {
		t.Error("21 copies of one work are enough")
	}
}

// Different pictures are not put together, in wide spaces and in narrow ones,
// where everything is near.
func TestDifferentWorksAreNotPutTogether(t *testing.T) {
	for _, w := range []world{
		{dim: 3, styles: 2, liked: 1, spread: .2},
		{dim: 8, styles: 4, liked: 2, spread: .5},
		{dim: 40, styles: 8, liked: 3, spread: .3},
		{dim: 384, styles: 8, liked: 3, spread: 2},
	} {
		for _, n := range []int{16, 150, 650} {
			t.Run(fmt.Sprintf("dim=%d n=%d", w.dim, n), func(t *testing.T) {
				_, report := train(t, w.draw(5, n), quick())
				if lost := n - report.Groups; lost > max(2, n/50) {
					t.Errorf("%d of %d pictures were put together with others", lost, n)
				}
			})
		}
	}
}

// In large collections pairs are sifted by signs first; they are still found.
func TestNearDuplicatesAreFoundInLargeCollections(t *testing.T) {
	examples, _ := crops(world{dim: 64, styles: 6, liked: 3, spread: 2}, 4, 350, 2)
	_, report := train(t, examples, quick())
	if report.Groups < 346 || report.Groups > 354 {
		t.Errorf("%d groups of 350 works, twice each", report.Groups)
	}
}

// quick trains with no more than grouping needs.
func quick() probe.Config {
	c := settings()
	c.Strengths, c.Folds, c.InnerFolds, c.Resamples, c.MaxIterations = []float64{10}, 2, 2, 0, 3
	return c
}

func randomOf(i int) *rand.Rand { return rand.New(rand.NewPCG(uint64(i), 77)) }

// BenchmarkGrouping groups 5,000 examples that come by fours: every one has a
// near-duplicate, so that the surroundings of all are looked at.
func BenchmarkGrouping(b *testing.B) {
	examples, _ := crops(world{dim: 384, styles: 40, spread: 1}, 1, 1250, 4)
	for b.Loop() {
		set, err := probe.Set(b.Context(), examples, true)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(set.Groups()), "groups")
	}
}
