package atlas_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atlas"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/test/race"
)

// clouds are points of norm 1 about some middles, in the order of clouds.
func clouds(n, dim, middles int, seed uint64) []float32 {
	random := rand.New(rand.NewPCG(seed, 9))
	centre := make([]float64, middles*dim)
	for i := range centre {
		centre[i] = random.NormFloat64()
	}
	x := make([]float32, 0, n*dim)
	for i := range n {
		row, square := make([]float64, dim), 0.0
		for j := range row {
			row[j] = centre[(i*middles/n)*dim+j] + .6*random.NormFloat64()
			square += row[j] * row[j]
		}
		for _, v := range row {
			x = append(x, float32(v/math.Sqrt(square)))
		}
	}
	return x
}

func layout(t *testing.T, x []float32, dim int, config atlas.Config) []atlas.Place {
	t.Helper()
	places, err := atlas.Layout(t.Context(), x, dim, config)
	if err != nil {
		t.Fatal(err)
	}
	return places
}

func trust(t *testing.T, x []float32, dim int, places []atlas.Place, of int) float64 {
	t.Helper()
	got, err := atlas.Trustworthiness(t.Context(), x, dim, places, 10, of, 1)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestNeighbourhoodsAreKept(t *testing.T) {
	const dim = 24
	x := clouds(300, dim, 12, 1)
	config := atlas.DefaultConfig()
	config.Epochs = 100
	told := 0
	config.Progress = func(done, total int) {
		if done < told || done > total {
			t.Errorf("progress %d of %d after %d", done, total, told)
		}
		told = done
	}
	got := layout(t, x, dim, config)
	principal, err := atlas.Principal(t.Context(), x, dim, 1)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := trust(t, x, dim, got, 1000), trust(t, x, dim, principal, 1000)
	t.Logf("trustworthiness %.3f, of the principal components %.3f", ours, theirs)
	if ours < theirs+.05 || ours < .9 {
		t.Errorf("trustworthiness %.3f, want at least .9, and clearly above %.3f of the principal components", ours, theirs)
	}
	if again := layout(t, x, dim, atlas.Config{Neighbours: 15, Apart: 5, Seed: 1, Epochs: 100}); !slices.Equal(got, again) {
		t.Error("the same embeddings and seed gave another map")
	}
	if other := layout(t, x, dim, atlas.Config{Neighbours: 15, Apart: 5, Seed: 2, Epochs: 100}); slices.Equal(got, other) {
		t.Error("another seed gave the same map")
	}
}

// Beyond a few thousand points neighbours are looked for in cells.
func TestManyPointsAreLaidOutToo(t *testing.T) {
	race.Long(t)
	const dim = 16
	x := clouds(4500, dim, 40, 2)
	config := atlas.DefaultConfig()
	config.Epochs = 15
	got := layout(t, x, dim, config)
	principal, err := atlas.Principal(t.Context(), x, dim, 1)
	if err != nil {
		t.Fatal(err)
	}
	if ours, theirs := trust(t, x, dim, got, 100), trust(t, x, dim, principal, 100); ours < theirs+.02 {
		t.Errorf("trustworthiness %.3f, of the principal components %.3f", ours, theirs)
	}
}

func TestOddCollectionsAreLaidOut(t *testing.T) {
	same := make([]float32, 0, 40*4)
	for range 40 {
		same = append(same, 1, 0, 0, 0)
	}
	for what, x := range map[string][]float32{
		"none": {}, "one": {1, 0, 0, 0}, "four": clouds(4, 4, 1, 3), "five": clouds(5, 4, 1, 3), "all the same": same,
	} {
		places := layout(t, x, 4, atlas.DefaultConfig())
		if len(places) != len(x)/4 {
			t.Errorf("%s: %d places of %d pictures", what, len(places), len(x)/4)
		}
		for _, p := range places {
			if math.IsNaN(float64(p.X+p.Y)) || math.IsInf(float64(p.X+p.Y), 0) {
				t.Errorf("%s: a place is %v", what, p)
			}
		}
		m := atlas.New(atlas.Made{}, ids(len(places)), places)
		for i := range places {
			if got := m.Of(ids(i + 1)[i]); got == atlas.Nowhere {
				t.Errorf("%s: picture %d is nowhere", what, i)
			}
		}
	}
}

func TestLayoutEndsWhenItIsAskedTo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	config := atlas.DefaultConfig()
	config.Progress = func(done, total int) {
		if done > total/2 {
			cancel()
		}
	}
	if _, err := atlas.Layout(ctx, clouds(200, 8, 3, 4), 8, config); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	cancel()
	if _, err := atlas.Layout(ctx, clouds(200, 8, 3, 4), 8, atlas.DefaultConfig()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func TestWrongConfigurationsAreRefused(t *testing.T) {
	for what, config := range map[string]atlas.Config{
		"nothing": {}, "one neighbour": {Neighbours: 1, Apart: 5}, "nothing apart": {Neighbours: 15}, "epochs": {Neighbours: 15, Apart: 5, Epochs: -1},
	} {
		if _, err := atlas.Layout(t.Context(), []float32{1}, 1, config); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want palate.ErrInvalid", what, err)
		}
	}
	if _, err := atlas.Layout(t.Context(), []float32{1}, 2, atlas.DefaultConfig()); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("half a row: got %v, want palate.ErrInvalid", err)
	}
}

// The measure is held against one that takes every rank by itself.
func TestTrustworthinessIsThatOfItsDefinition(t *testing.T) {
	const dim, n, k = 6, 60, 10
	x := clouds(n, dim, 3, 5)
	places, err := atlas.Principal(t.Context(), x, dim, 1)
	if err != nil {
		t.Fatal(err)
	}
	byNear := func(i int, distance func(j int) float64) []int {
		others := []int{}
		for j := range n {
			if j != i {
				others = append(others, j)
			}
		}
		slices.SortStableFunc(others, func(a, b int) int {
			if distance(a) < distance(b) {
				return -1
			}
			return 1
		})
		return others
	}
	sum := 0
	for i := range n {
		truth := byNear(i, func(j int) (d float64) {
			for c := range dim {
				v := float64(x[i*dim+c]) - float64(x[j*dim+c])
				d += v * v
			}
			return d
		})
		for _, j := range byNear(i, func(j int) float64 {
			return math.Hypot(float64(places[i].X-places[j].X), float64(places[i].Y-places[j].Y))
		})[:k] {
			sum += max(slices.Index(truth, j)+1-k, 0)
		}
	}
	want := 1 - 2/float64(n*k*(2*n-3*k-1))*float64(sum)
	if got := trust(t, x, dim, places, n); math.Abs(got-want) > 1e-9 {
		t.Errorf("trustworthiness %v, want %v", got, want)
	}
}

func ids(n int) []palate.ImageID {
	out := make([]palate.ImageID, n)
	for i := range out {
		out[i] = palate.ImageID{byte(i), 6: 0x80, 8: 0x80}
	}
	return out
}

func kept(t *testing.T) (*atlas.Map, string) {
	t.Helper()
	made := atlas.Made{Model: "0123", At: time.Unix(1_700_000_000, 0).UTC(), Neighbours: 15, Seed: 1, TrustK: 10, Trustworthiness: .9, Principal: .7, Seconds: 2}
	m := atlas.New(made, ids(3), []atlas.Place{{0, 0}, {10, 2}, {4, 1}})
	path := filepath.Join(t.TempDir(), "maps", "one.map")
	if err := m.Write(path); err != nil {
		t.Fatal(err)
	}
	return m, path
}

func TestAMapIsKept(t *testing.T) {
	m, path := kept(t)
	got, err := atlas.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Made != m.Made || got.Len() != 3 {
		t.Errorf("got %+v with %d pictures, want %+v with 3", got.Made, got.Len(), m.Made)
	}
	for _, id := range ids(3) {
		if got.Of(id) != m.Of(id) || got.Of(id) == atlas.Nowhere {
			t.Errorf("%s is at %v, want %v", id, got.Of(id), m.Of(id))
		}
	}
	if left, right := got.Of(ids(3)[0]), got.Of(ids(3)[1]); left.X != 0 || right.X != 65534 || right.Y-left.Y > 65534/4 {
		t.Errorf("the shape is not kept: %v and %v", left, right)
	}
	if _, err := atlas.Read(path + "x"); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("without a file: got %v, want palate.ErrNotFound", err)
	}
}

func TestANewPictureIsPutAmongItsNeighbours(t *testing.T) {
	m, _ := kept(t)
	all, stranger := ids(3), palate.ImageID{200, 6: 0x80, 8: 0x80}
	if got := m.Of(stranger); got != atlas.Nowhere {
		t.Errorf("a picture that is not on the map is at %v", got)
	}
	if got := m.Put(nil); got != atlas.Nowhere {
		t.Errorf("without neighbours: %v", got)
	}
	if got := m.Put([]atlas.Neighbour{{stranger, .99}}); got != atlas.Nowhere {
		t.Errorf("with a neighbour that is not on the map: %v", got)
	}
	if got := m.Put([]atlas.Neighbour{{stranger, .99}, {all[1], .9}}); got != m.Of(all[1]) {
		t.Errorf("with one neighbour on the map: %v, want %v", got, m.Of(all[1]))
	}
	got := m.Put([]atlas.Neighbour{{all[0], .9}, {all[1], .9}, {all[2], .1}})
	if want := (m.Of(all[0]).X + m.Of(all[1]).X) / 2; got.X < want-1 || got.X > want+1 {
		t.Errorf("between two: %v, want about %d from the left", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("palatmap"))
	f.Add([]byte("palatmap\x01\x00\x00\x00\x02\x00\x00\x00{}\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := atlas.Parse(b); err == nil {
			m.Of(palate.ImageID{})
		} else if !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("got %v, want palate.ErrInvalid", err)
		}
	})
}

func TestDamagedMapsAreRefused(t *testing.T) {
	_, path := kept(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		bad := slices.Clone(whole)
		bad[at] ^= 0x11
		if _, err := atlas.Parse(bad); !errors.Is(err, palate.ErrInvalid) {
			t.Fatalf("with byte %d changed: got %v, want palate.ErrInvalid", at, err)
		}
		if _, err := atlas.Parse(whole[:at]); !errors.Is(err, palate.ErrInvalid) {
			t.Fatalf("with %d of %d bytes: got %v, want palate.ErrInvalid", at, len(whole), err)
		}
	}
}

// stored are embeddings as a catalog gives them, by pages.
type stored []catalog.ImageEmbedding

func (s stored) ListEmbeddings(_ context.Context, _ palate.ModelID, after palate.ImageID, limit int) ([]catalog.ImageEmbedding, error) {
	at := 0
	for at < len(s) && bytes.Compare(s[at].ID[:], after[:]) <= 0 {
		at++
	}
	return s[at:min(at+limit, len(s))], nil
}

func TestAMapThatIsMadeAnewIsReadAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "one.map")
	kept := atlas.NewKept(path)
	if _, err := kept.Map(); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("before the first: got %v, want palate.ErrNotFound", err)
	}
	const dim = 8
	x := clouds(60, dim, 3, 6)
	var all stored
	for i := range 60 {
		all = append(all, catalog.ImageEmbedding{ID: palate.ImageID{byte(i + 1), 6: 0x80, 8: 0x80}, Embedding: x[i*dim : (i+1)*dim]})
	}
	config := atlas.DefaultConfig()
	config.Epochs = 20
	for _, n := range []int{40, 60} {
		made, err := atlas.Make(t.Context(), all[:n], "0123", config)
		if err != nil {
			t.Fatal(err)
		}
		if made.Pictures != n || made.Trustworthiness <= 0 || made.Trustworthiness > 1 || made.Principal <= 0 {
			t.Errorf("the map of %d pictures says %+v", n, made.Made)
		}
		if err := made.Write(path); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := kept.Map(); err != nil || got.Len() != n {
				t.Errorf("got %v and %v, want a map of %d pictures", got, err, n)
			}
		}
	}
}
