package dinov2_test

import (
	"math"
	"testing"

	"github.com/palate-art/palate/bench/dinov2"
)

// The published counts of multiply-adds are 6.1 and 46.8 (Small) and 23.2 and
// 151.7 (Base) thousand millions at 224 and 518 pixels.
func TestWorkIsThePublishedCount(t *testing.T) {
	for text, want := range map[string]float64{"S@224": 6.1e9, "S@518": 46.8e9, "B@224": 23.2e9, "B@518": 151.7e9, "L@224": 81e9, "L@518": 507.2e9} {
		s, err := dinov2.ParseSpec(text)
		if err != nil {
			t.Fatal(err)
		}
		done, published := s.Work()
		if math.Abs(published/2/want-1) > .01 {
			t.Errorf("%s: got %.2f thousand million multiply-adds, want %.2f", text, published/2e9, want/1e9)
		}
		if done >= published || done < published*.9 {
			t.Errorf("%s: %.2f of %.2f are computed, want somewhat less", text, done/2e9, published/2e9)
		}
	}
	for _, text := range []string{"", "S", "X@224", "S@225", "S@0", "S@224:float8", "@224"} {
		if s, err := dinov2.ParseSpec(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, s)
		}
	}
}
