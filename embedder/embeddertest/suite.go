// Package embeddertest holds every embedder.Embedder to its contract.
package embeddertest

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
)

// Run runs the suite. The embedder must be float32 arithmetic throughout, so
// that the same picture in another batch differs by rounding only. Run leaves
// it as it was.
func Run(t *testing.T, e embedder.Embedder) {
	pictures := []image.Image{
		noise(97, 61, 1), stripes(200, 120, 7, true), stripes(120, 200, 13, false), noise(33, 80, 2),
		gradient(64, 64), stripes(50, 50, 3, true), noise(300, 20, 4),
	}
	inputs := make([]embedder.Input, len(pictures))
	for i, p := range pictures {
		inputs[i] = prepare(t, e, p)
	}
	alone := make([]palate.Embedding, len(inputs))
	for i, in := range inputs {
		alone[i] = embed(t, e, in)[0]
	}
	t.Run("says what it is", func(t *testing.T) { identity(t, e) })
	t.Run("every embedding has length Dim and norm 1", func(t *testing.T) { norms(t, e, alone) })
	t.Run("different pictures have different embeddings", func(t *testing.T) { different(t, alone) })
	t.Run("a batch gives what each picture gives alone, in order", func(t *testing.T) { batches(t, e, inputs, alone) })
	t.Run("concurrent calls give what one gives", func(t *testing.T) { concurrent(t, e, inputs, alone) })
	t.Run("patches give the embedding that is their mean", func(t *testing.T) { patches(t, e, inputs, alone) })
	t.Run("no inputs give no embeddings", func(t *testing.T) { empty(t, e) })
	t.Run("an input that Prepare did not make is invalid", func(t *testing.T) { foreign(t, e, inputs[0]) })
	t.Run("a context that is done ends Embed with its error", func(t *testing.T) { cancelled(t, e, inputs) })
	t.Run("Prepare gives the model's input for any shape of picture", func(t *testing.T) { shapes(t, e) })
	t.Run("Prepare sees through the picture's type and origin", func(t *testing.T) { types(t, e) })
	t.Run("Prepare refuses no picture and an empty one", func(t *testing.T) { noPicture(t, e) })
	t.Run("Embed leaves its inputs alone", func(t *testing.T) { untouched(t, e, inputs[0]) })
}

// sameCosine is how far the cosine of two embeddings of one picture may be
// from 1.
const sameCosine = 1e-5

func prepare(t *testing.T, e embedder.Embedder, img image.Image) embedder.Input {
	t.Helper()
	in, err := e.Prepare(img)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func embed(t *testing.T, e embedder.Embedder, inputs ...embedder.Input) []palate.Embedding {
	t.Helper()
	got, err := e.Embed(context.Background(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(inputs) {
		t.Fatalf("got %d embeddings, want %d", len(got), len(inputs))
	}
	return got
}

func cosine(a, b palate.Embedding) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func wantSame(t *testing.T, what string, got, want palate.Embedding) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d values, want %d", what, len(got), len(want))
	}
	if c := cosine(got, want); !(c >= 1-sameCosine) {
		t.Errorf("%s: got cosine %v, want at least %v", what, c, 1-sameCosine)
	}
}

func wantInvalid(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("%s: got error %v, want palate.ErrInvalid", what, err)
	}
}

func identity(t *testing.T, e embedder.Embedder) {
	if e.Dim() < 1 {
		t.Errorf("got Dim %d, want at least 1", e.Dim())
	}
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(string(e.Model())) {
		t.Errorf("got Model %q, want 64 hexadecimal digits", e.Model())
	}
	if e.Name() == "" || e.Provider() == "" {
		t.Errorf("got Name %q and Provider %q, want both", e.Name(), e.Provider())
	}
}

func norms(t *testing.T, e embedder.Embedder, embeddings []palate.Embedding) {
	for i, v := range embeddings {
		if err := v.Validate(e.Dim()); err != nil {
			t.Errorf("picture %d: %v", i, err)
		}
		var sum float64
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		if norm := math.Sqrt(sum); math.Abs(norm-1) > 1e-5 {
			t.Errorf("picture %d: got norm %v, want 1±1e-5", i, norm)
		}
	}
}

func different(t *testing.T, embeddings []palate.Embedding) {
	for i, a := range embeddings {
		for j, b := range embeddings[:i] {
			if c := cosine(a, b); c > 1-sameCosine {
				t.Errorf("pictures %d and %d: got cosine %v, want them apart", j, i, c)
			}
		}
	}
}

func batches(t *testing.T, e embedder.Embedder, inputs []embedder.Input, alone []palate.Embedding) {
	for _, size := range []int{2, 3, len(inputs), 2*len(inputs) + 3} {
		random := rand.New(rand.NewPCG(uint64(size), 3))
		var batch []embedder.Input
		var want []palate.Embedding
		for range size {
			i := random.IntN(len(inputs))
			batch, want = append(batch, inputs[i]), append(want, alone[i])
		}
		for i, got := range embed(t, e, batch...) {
			wantSame(t, "in a batch", got, want[i])
		}
	}
}

func concurrent(t *testing.T, e embedder.Embedder, inputs []embedder.Input, alone []palate.Embedding) {
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for k := range 2 * len(inputs) {
				i := (worker + k) % len(inputs)
				got, err := e.Embed(context.Background(), inputs[i:i+1])
				if err != nil || len(got) != 1 {
					t.Errorf("got %d embeddings and %v, want one", len(got), err)
					return
				}
				if c := cosine(got[0], alone[i]); !(c >= 1-sameCosine) {
					t.Errorf("picture %d: got cosine %v", i, c)
				}
			}
		})
	}
	group.Wait()
}

func empty(t *testing.T, e embedder.Embedder) {
	for _, none := range [][]embedder.Input{nil, {}} {
		if got, err := e.Embed(context.Background(), none); len(got) != 0 || err != nil {
			t.Errorf("got %d embeddings and %v, want none", len(got), err)
		}
	}
}

func foreign(t *testing.T, e embedder.Embedder, good embedder.Input) {
	with := func(change func(*embedder.Input)) embedder.Input {
		in := good
		in.Pixels = slices.Clone(in.Pixels)
		change(&in)
		return in
	}
	tests := map[string]embedder.Input{
		"the zero input":    {},
		"too few pixels":    with(func(in *embedder.Input) { in.Pixels = in.Pixels[1:] }),
		"too many pixels":   with(func(in *embedder.Input) { in.Pixels = append(in.Pixels, 0) }),
		"another height":    with(func(in *embedder.Input) { in.Height++ }),
		"one channel":       with(func(in *embedder.Input) { in.Channels = 1 }),
		"a negative side":   with(func(in *embedder.Input) { in.Height, in.Width = -in.Height, -in.Width }),
		"not a number":      with(func(in *embedder.Input) { in.Pixels[3] = float32(math.NaN()) }),
		"infinity":          with(func(in *embedder.Input) { in.Pixels[len(in.Pixels)-1] = float32(math.Inf(1)) }),
		"negative infinity": with(func(in *embedder.Input) { in.Pixels[0] = float32(math.Inf(-1)) }),
	}
	for name, bad := range tests {
		got, err := e.Embed(context.Background(), []embedder.Input{good, bad})
		wantInvalid(t, name, err)
		if got != nil {
			t.Errorf("%s: got %d embeddings beside an error, want none", name, len(got))
		}
	}
}

func cancelled(t *testing.T, e embedder.Embedder, inputs []embedder.Input) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got, err := e.Embed(ctx, inputs); got != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: got %d embeddings and %v, want context.Canceled", len(got), err)
	}
	// Cancelled amid a long batch, Embed gives up; it may also have been
	// faster than the cancelling.
	ctx, cancel = context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		got, err := e.Embed(ctx, slices.Repeat(inputs, 8))
		if err == nil && len(got) != 8*len(inputs) || err != nil && (got != nil || !errors.Is(err, context.Canceled)) {
			t.Errorf("cancelled amid: got %d embeddings and %v", len(got), err)
		}
	}()
	cancel()
	<-done
	wantSame(t, "after a cancelled call", embed(t, e, inputs[0])[0], embed(t, e, inputs[0])[0])
}

// sized is an embedder that says what size a picture's input has.
type sized interface {
	Description() embedder.Description
}

func shapes(t *testing.T, e embedder.Embedder) {
	model := prepare(t, e, gradient(10, 10))
	for _, size := range []image.Point{{1, 1}, {1, 700}, {3000, 1}, {2, 3}, {513, 17}, {1000, 999}} {
		in := prepare(t, e, noise(size.X, size.Y, 5))
		w, h := model.Width, model.Height
		if s, ok := e.(sized); ok {
			w, h = s.Description().InputSize(size.X, size.Y)
		}
		if in.Channels != model.Channels || in.Height != h || in.Width != w {
			t.Errorf("%v: got input [%d, %d, %d], want [%d, %d, %d]", size, in.Channels, in.Height, in.Width, model.Channels, h, w)
		}
		if !(in.Shown.MaxX > in.Shown.MinX && in.Shown.MaxY > in.Shown.MinY) {
			t.Errorf("%v: got an input that shows %+v of the picture", size, in.Shown)
		}
		if err := embed(t, e, in)[0].Validate(e.Dim()); err != nil {
			t.Errorf("%v: %v", size, err)
		}
	}
}

// patches holds the tokens of a PatchEmbedder whose embedding is their mean.
func patches(t *testing.T, e embedder.Embedder, inputs []embedder.Input, alone []palate.Embedding) {
	p, ok := e.(embedder.PatchEmbedder)
	s, described := e.(sized)
	if !ok || !described || s.Description().Output.Pooling != embedder.PoolMeanPatches {
		return
	}
	all, err := p.EmbedPatches(context.Background(), inputs)
	if err != nil || len(all) != len(inputs) {
		t.Fatalf("got patches of %d pictures and %v, want of %d", len(all), err, len(inputs))
	}
	for i, got := range all {
		if len(got.Tokens) != got.Rows*got.Columns || got.Rows*inputs[i].Width != got.Columns*inputs[i].Height {
			t.Fatalf("picture %d: got %d tokens as %d rows of %d of an input of %d×%d", i, len(got.Tokens), got.Rows, got.Columns, inputs[i].Width, inputs[i].Height)
		}
		mean := make(palate.Embedding, len(got.Tokens[0]))
		for _, token := range got.Tokens {
			for k, v := range token {
				mean[k] += v / float32(len(got.Tokens))
			}
		}
		wantSame(t, "mean of the patches", mean, alone[i])
		first, last := got.Area(0, 0), got.Area(got.Columns-1, got.Rows-1)
		if corners := (embedder.Area{MinX: first.MinX, MinY: first.MinY, MaxX: last.MaxX, MaxY: last.MaxY}); corners != inputs[i].Shown {
			t.Errorf("picture %d: its patches cover %+v, its input %+v", i, corners, inputs[i].Shown)
		}
	}
}

// subpicture hides a picture's type, so that only image.Image is left, and
// lets it begin elsewhere than at (0, 0).
type subpicture struct {
	image.Image
	by image.Point
}

func (s subpicture) Bounds() image.Rectangle { return s.Image.Bounds().Add(s.by) }
func (s subpicture) At(x, y int) color.Color { return s.Image.At(x-s.by.X, y-s.by.Y) }

func types(t *testing.T, e embedder.Embedder) {
	nrgba := noise(40, 30, 9)
	want := prepare(t, e, nrgba)
	rgba := image.NewRGBA(nrgba.Bounds())
	for y := range 30 {
		for x := range 40 {
			rgba.Set(x, y, nrgba.At(x, y))
		}
	}
	for name, img := range map[string]image.Image{
		"RGBA": rgba, "any image": subpicture{Image: nrgba}, "an image that begins elsewhere": subpicture{nrgba, image.Pt(-7, 11)},
	} {
		if got := prepare(t, e, img); !slices.Equal(got.Pixels, want.Pixels) {
			t.Errorf("%s: got other pixels than of NRGBA", name)
		}
	}
}

func noPicture(t *testing.T, e embedder.Embedder) {
	for name, img := range map[string]image.Image{
		"nil": nil, "empty": image.NewNRGBA(image.Rectangle{}), "no width": image.NewNRGBA(image.Rect(0, 0, 0, 9)),
	} {
		_, err := e.Prepare(img)
		wantInvalid(t, name, err)
	}
}

func untouched(t *testing.T, e embedder.Embedder, in embedder.Input) {
	before := slices.Clone(in.Pixels)
	got := embed(t, e, in, in)
	kept := slices.Clone(got[0])
	if !slices.Equal(before, in.Pixels) {
		t.Error("the input's pixels changed")
	}
	got[1][0] = 99
	embed(t, e, in)
	if !slices.Equal(kept, got[0]) {
		t.Error("an embedding shares memory with another or with a later call")
	}
}
