package museum_test

import (
	"math"
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/museum"
)

// The seed draws both what the visitor likes and which ratings are wrong.
func TestAVisitorLikesSomeStylesAndErrsNowAndThen(t *testing.T) {
	styles := museum.Styles()
	tastes := map[string]bool{}
	for seed := range int64(20) {
		v := museum.NewVisitor(seed, styles, 3, .08)
		liked := v.Styles()
		if len(liked) != 3 || !slices.IsSorted(liked) {
			t.Errorf("seed %d: likes %v, want three in the order of names", seed, liked)
		}
		tastes[liked[0]+liked[1]+liked[2]] = true
		backwards := slices.Clone(styles)
		slices.Reverse(backwards)
		same := museum.NewVisitor(seed, backwards, 3, .08)
		if !slices.Equal(same.Styles(), liked) {
			t.Errorf("seed %d likes %v, and %v in another order of styles", seed, liked, same.Styles())
		}
		if !slices.Equal(v.Choose(420, 120), same.Choose(420, 120)) {
			t.Errorf("seed %d looks at different pictures", seed)
		}
		const said = 5000
		flips := 0
		for i := range said {
			style := styles[i%len(styles)]
			likes, flipped := v.Says(style)
			if likes == v.Likes(style) == flipped {
				t.Fatalf("seed %d says %v of %s, which it likes %v, flipped %v", seed, likes, style, v.Likes(style), flipped)
			}
			if v.Likes(style) != slices.Contains(liked, style) {
				t.Fatalf("seed %d: likes %s %v", seed, style, v.Likes(style))
			}
			if flipped {
				flips++
			}
		}
		// Five standard deviations of a binomial.
		if got, want := float64(flips)/said, .08; math.Abs(got-want) > 5*math.Sqrt(want*(1-want)/said) {
			t.Errorf("seed %d: %.3f of what it says is flipped, want %.2f", seed, got, want)
		}
	}
	if len(tastes) < 15 {
		t.Errorf("20 seeds have %d tastes", len(tastes))
	}
}

func TestAVisitorLooksAtEachPictureOnce(t *testing.T) {
	v := museum.NewVisitor(1, museum.Styles(), 3, 0)
	for _, c := range []struct{ total, n, want int }{{420, 120, 120}, {5, 9, 5}, {0, 3, 0}} {
		got := v.Choose(c.total, c.n)
		slices.Sort(got)
		if len(slices.Compact(slices.Clone(got))) != c.want || c.want > 0 && (got[0] < 0 || got[c.want-1] >= c.total) {
			t.Errorf("%d of %d: got %v, want %d different ones", c.n, c.total, got, c.want)
		}
	}
	if _, flipped := v.Says(museum.Styles()[0]); flipped {
		t.Error("a visitor who never errs did")
	}
}
