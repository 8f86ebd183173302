package picture_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate/internal/picture"
)

// blots paints soft blots: structure at the scale of a composition.
func blots(seed uint64, width, height int) *picture.RGB {
	random := rand.New(rand.NewPCG(seed, 3))
	m := picture.NewRGB(width, height)
	type blot struct{ x, y, size, r, g, b float64 }
	var all []blot
	for range 24 {
		all = append(all, blot{random.Float64(), random.Float64(), .04 + .08*random.Float64(), 255 * random.Float64(), 255 * random.Float64(), 255 * random.Float64()})
	}
	for y := range height {
		for x := range width {
			var r, g, b, total float64
			for _, o := range all {
				dx, dy := float64(x)/float64(width)-o.x, float64(y)/float64(height)-o.y
				w := math.Exp(-(dx*dx + dy*dy) / (2 * o.size * o.size))
				r, g, b, total = r+w*o.r, g+w*o.g, b+w*o.b, total+w
			}
			at := m.Pix[3*(y*width+x):]
			at[0], at[1], at[2] = byte(r/total), byte(g/total), byte(b/total)
		}
	}
	return m
}

func cropped(m *picture.RGB, left, top, width, height int) *picture.RGB {
	out := picture.NewRGB(width, height)
	for y := range height {
		copy(out.Row(y), m.Row(top + y)[3*left:3*(left+width)])
	}
	return out
}

func recompressed(t *testing.T, m image.Image) *picture.RGB {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 30}); err != nil {
		t.Fatal(err)
	}
	out, _, err := picture.Decode(&b, picture.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func hashes(t *testing.T, m *picture.RGB) []uint64 {
	t.Helper()
	h, err := picture.Hashes(m)
	if err != nil || len(h) == 0 {
		t.Fatalf("%d hashes, %v", len(h), err)
	}
	return h
}

func nearest(whole uint64, windows []uint64) int {
	least := 64
	for _, w := range windows {
		least = min(least, bits.OnesCount64(whole^w))
	}
	return least
}

func TestHashesKnowTheSameView(t *testing.T) {
	for seed := range uint64(picturesOfHashes) {
		original := blots(seed, 200, 150)
		small, err := picture.Resize(original, 90, 67)
		if err != nil {
			t.Fatal(err)
		}
		h := hashes(t, original)
		for name, other := range map[string]*picture.RGB{
			"smaller":      small,
			"recompressed": recompressed(t, original),
			"its middle":   cropped(original, 20, 15, 160, 120),
			"its corner":   cropped(original, 60, 45, 140, 105),
		} {
			if got := nearest(hashes(t, other)[0], h); got > 6 {
				t.Errorf("picture %d, %s: %d bits differ, want 6 at most", seed, name, got)
			}
		}
		for another := seed + 100; another < seed+110; another++ {
			if got := nearest(hashes(t, blots(another, 200, 150))[0], h); got <= 6 {
				t.Errorf("picture %d and picture %d: only %d bits differ", seed, another, got)
			}
		}
	}
}

func TestAFlatPictureHasNoHash(t *testing.T) {
	if h, err := picture.Hashes(picture.NewRGB(50, 50)); err != nil || h != nil {
		t.Errorf("got %v, %v, want none", h, err)
	}
	if _, err := picture.Hashes(picture.NewRGB(0, 5)); err == nil {
		t.Error("an empty picture has hashes")
	}
}
