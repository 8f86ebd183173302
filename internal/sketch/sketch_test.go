package sketch_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/sketch"
	"github.com/palate-art/palate/test/copies"
	"github.com/palate-art/palate/test/race"
)

func sketchOf(t *testing.T, m *picture.RGB) *sketch.Sketch {
	t.Helper()
	s, err := copies.Sketch(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Copies of every kind are laid over what they were made from, and nothing
// else is.
func TestCopiesAreTheSamePicture(t *testing.T) {
	paintings := 12
	if race.Enabled {
		paintings = 3
	}
	random := rand.New(rand.NewPCG(1, 1))
	var all []*sketch.Picture
	for seed := range paintings {
		painting := copies.Painting(uint64(seed), 150, 110)
		original := sketch.NewPicture(sketchOf(t, painting))
		for _, kind := range copies.Kinds {
			m, err := kind.Make(random, painting)
			if err != nil {
				t.Fatal(err)
			}
			if made := sketch.NewPicture(sketchOf(t, m)); !sketch.Same(original, made) || !sketch.Same(made, original) {
				t.Errorf("painting %d, %s: %.3f and %.3f alike", seed, kind.Name, original.Within(made), made.Within(original))
			}
		}
		for i, other := range all {
			if sketch.Same(original, other) {
				t.Errorf("paintings %d and %d are told to be the same", i, seed)
			}
		}
		all = append(all, original)
	}
}

// Pictures of one layout in other colours are not one thing, whichever way one of
// them was copied, until it has no colours left.
func TestOtherColoursAreAnotherPicture(t *testing.T) {
	paintings := 12
	if race.Enabled {
		paintings = 3
	}
	random := rand.New(rand.NewPCG(3, 3))
	for seed := range paintings {
		painting := copies.Painting(uint64(seed), 150, 110)
		original := sketch.NewPicture(sketchOf(t, painting))
		other := copies.OtherColours(painting)
		if alike := original.Within(sketch.NewPicture(sketchOf(t, other))); alike < .9 {
			t.Fatalf("painting %d: the other is %.2f alike in brightness, and this test shows nothing", seed, alike)
		}
		for _, kind := range copies.Kinds {
			m, err := kind.Make(random, other)
			if err != nil {
				t.Fatal(err)
			}
			colourless := slices.Contains([]string{"grey", "framed, grey, mirrored", "in sepia"}, kind.Name)
			if got := sketch.Same(original, sketch.NewPicture(sketchOf(t, m))); got != colourless {
				t.Errorf("painting %d in other colours, %s: the same %v, want %v", seed, kind.Name, got, colourless)
			}
		}
	}
}

func product(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func alike(a, b [][]float32) (most float64) {
	for _, x := range a {
		for _, y := range b {
			most = max(most, product(x, y), product(sketch.Mirrored(x), y))
		}
	}
	return most
}

// Looks of the whole picture are alike whatever was done to it but cutting.
func TestLooks(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	painting := copies.Painting(7, 150, 110)
	original := sketchOf(t, painting).Looks()
	for _, look := range original {
		if len(look) != sketch.LookValues || math.Abs(product(look, look)-1) > 1e-5 {
			t.Errorf("a look of %d values and norm² %v", len(look), product(look, look))
		}
	}
	for _, name := range []string{"mirrored", "grey", "white frame", "framed, grey, mirrored", "JPEG of quality 15", "resized to a fifth"} {
		for _, kind := range copies.Kinds {
			if kind.Name != name {
				continue
			}
			m, err := kind.Make(random, painting)
			if err != nil {
				t.Fatal(err)
			}
			if got := alike(original, sketchOf(t, m).Looks()); got < sketch.Alike {
				t.Errorf("%s: looks are %.2f alike", kind.Name, got)
			}
		}
	}
}

// A picture in which there is nothing to see is like no other, itself included.
func TestAnEmptyPictureIsLikeNone(t *testing.T) {
	for name, at := range map[string]func(x, y int) byte{
		"flat":  func(int, int) byte { return 90 },
		"noise": func(x, y int) byte { return 90 + byte((x*7+y*13)%2) },
	} {
		s := new(sketch.Sketch)
		for i := range sketch.Side * sketch.Side {
			s[i] = at(i%sketch.Side, i/sketch.Side)
		}
		if p := sketch.NewPicture(s); len(s.Looks()) != 0 || sketch.Same(p, sketch.NewPicture(s)) {
			t.Errorf("%s: looks %v", name, s.Looks())
		}
	}
}

func TestSketchesOfOtherSizesAreNone(t *testing.T) {
	if _, err := sketch.Of(make([]byte, 7)); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
	const size = sketch.Side*sketch.Side + 2*sketch.ColourSide*sketch.ColourSide
	for _, bytes := range []int{0, 1, sketch.Side * sketch.Side, size + 1} {
		if _, ok := sketch.Read(make([]byte, bytes)); ok {
			t.Errorf("%d bytes are a sketch", bytes)
		}
	}
	if _, ok := sketch.Read(make([]byte, size)); !ok {
		t.Error("a sketch is none")
	}
}
