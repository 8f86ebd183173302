package works_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/works"
	"github.com/palate-art/palate/test/copies"
)

const (
	dim   = 16
	model = palate.ModelID("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
)

// shelf is a collection of pictures that are made up, with embeddings that are.
type shelf struct {
	parts    works.Parts
	catalog  *sqlite.Catalog
	sketches map[palate.ImageID][]byte
	random   *rand.Rand
	all      []palate.Embedding
}

func newShelf(t *testing.T, ix index.Index) *shelf {
	t.Helper()
	c, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "catalog.db"), sqlite.DefaultConfig())
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	must(t, c.PutModel(t.Context(), catalog.Model{ID: ix.Model(), Dim: dim}))
	s := &shelf{catalog: c, sketches: map[palate.ImageID][]byte{}, random: rand.New(rand.NewPCG(5, 8))}
	s.parts = works.Parts{Catalog: c, Index: ix, Sketch: func(_ context.Context, id palate.ImageID) ([]byte, error) {
		if made, ok := s.sketches[id]; ok {
			return made, nil
		}
		return nil, fmt.Errorf("%v is broken: %w", id, palate.ErrInvalid)
	}}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// direction is an embedding at random, or near another.
func (s *shelf) direction(near palate.Embedding) palate.Embedding {
	e, norm := make(palate.Embedding, dim), 0.
	for i := range e {
		e[i] = float32(s.random.NormFloat64())
		if near != nil {
			e[i] = near[i] + .05*e[i]
		}
		norm += float64(e[i] * e[i])
	}
	for i := range e {
		e[i] /= float32(math.Sqrt(norm))
	}
	return e
}

// put adds a picture; without m none that can be read.
func (s *shelf) put(t *testing.T, m *picture.RGB, e palate.Embedding, indexed bool) palate.ImageID {
	t.Helper()
	s.all = append(s.all, e)
	sum := sha256.Sum256(fmt.Append(nil, s.random.Uint64()))
	id := palate.NewImageID(sum)
	_, err := s.catalog.AddImage(t.Context(), catalog.Image{ID: id, SHA256: sum, Bytes: 1, Format: "png", Width: 3, Height: 2}, palate.Source{Address: "file:///" + id.String()}, nil)
	must(t, err)
	must(t, s.catalog.PutEmbeddings(t.Context(), s.parts.Index.Model(), []catalog.ImageEmbedding{{ID: id, Embedding: e}}))
	if m != nil {
		sketched, err := copies.Sketch(m)
		must(t, err)
		s.sketches[id] = sketched[:]
	}
	if indexed {
		must(t, s.parts.Index.Upsert(t.Context(), []index.Point{{ID: id, Embedding: e}}))
	}
	return id
}

// near counts the pairs of pictures whose inner product is above least.
func (s *shelf) near(least float64) (n int) {
	for i, a := range s.all {
		for _, b := range s.all[:i] {
			product := 0.
			for j := range a {
				product += float64(a[j]) * float64(b[j])
			}
			if product > least {
				n++
			}
		}
	}
	return n
}

func (s *shelf) look(t *testing.T) works.Report {
	t.Helper()
	r, err := works.Look(t.Context(), s.parts)
	must(t, err)
	return r
}

func (s *shelf) inWorks(t *testing.T, what string, want ...[]palate.ImageID) {
	t.Helper()
	got, err := s.catalog.Works(t.Context(), works.Version)
	must(t, err)
	want = slices.Clone(want)
	for _, one := range [][][]palate.ImageID{got, want} {
		for i, ids := range one {
			ids = slices.Clone(ids)
			one[i] = ids
			slices.SortFunc(ids, func(a, b palate.ImageID) int { return strings.Compare(a.String(), b.String()) })
		}
		slices.SortFunc(one, func(a, b []palate.ImageID) int { return strings.Compare(a[0].String(), b[0].String()) })
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%s: got works %v, want %v", what, got, want)
	}
}

// over runs a test on the embedded index and on a Qdrant server.
func over(t *testing.T, do func(t *testing.T, ix index.Index)) {
	t.Run("embedded", func(t *testing.T) {
		ix, err := flat.Open(model, dim, flat.DefaultConfig())
		must(t, err)
		defer func() { must(t, ix.Close()) }()
		do(t, ix)
	})
	t.Run("qdrant", func(t *testing.T) {
		host, port, err := net.SplitHostPort(qdranttest.Run(t).Address())
		must(t, err)
		config := qdrant.DefaultConfig()
		config.Host = host
		config.Port, err = strconv.Atoi(port)
		must(t, err)
		ix, err := qdrant.New(config, model, dim, slog.New(slog.DiscardHandler))
		must(t, err)
		defer func() { must(t, ix.Close()) }()
		must(t, ix.Clear(t.Context()))
		do(t, ix)
	})
}

// Copies are found among what is near, others near them are left alone, and what
// was looked at is not looked at again.
func TestCopiesAreFoundAmongWhatIsNear(t *testing.T) {
	over(t, func(t *testing.T, ix index.Index) {
		s := newShelf(t, ix)
		var want [][]palate.ImageID
		var first palate.Embedding
		paintings := 8
		for n := range paintings {
			painting, e := copies.Painting(uint64(n), 120, 90), s.direction(nil)
			if n == 0 {
				first = e
			}
			ids := []palate.ImageID{s.put(t, painting, e, true)}
			s.put(t, copies.Painting(uint64(100+n), 120, 90), s.direction(e), true) // another, near it
			for _, kind := range copies.Kinds {
				if n < 4 && slices.Contains([]string{"mirrored", "white frame", "JPEG of quality 15"}, kind.Name) {
					m, err := kind.Make(s.random, painting)
					must(t, err)
					ids = append(ids, s.put(t, m, s.direction(e), true))
				}
			}
			if len(ids) > 1 {
				want = append(want, ids)
			}
		}
		all := 2*paintings + 4*3
		r := s.look(t)
		s.inWorks(t, "the first time", want...)
		if r.LookedAt != all || r.NotLookedAt != 0 || r.Works != 4 || r.Images != 16 || r.Unreadable != 0 {
			t.Errorf("the first time: got %+v, want %d pictures, and 16 of 4 works", r, all)
		}
		if near := s.near(.5); r.Compared != near || r.Pairs < 12 {
			t.Errorf("%d comparisons of which %d were of copies, want one of each of the %d pairs that are near", r.Compared, r.Pairs, near)
		}
		if again := s.look(t); again.LookedAt != 0 || again.Compared != 0 || again.Works != 4 {
			t.Errorf("again: got %+v, want nothing to be looked at", again)
		}

		// A further copy joins; one that is broken and one that the index lacks do not.
		m, err := copies.Kinds[0].Make(s.random, copies.Painting(0, 120, 90))
		must(t, err)
		want[0] = append(want[0], s.put(t, m, s.direction(first), true))
		s.put(t, nil, s.direction(first), true)
		late := s.direction(first)
		behind := s.put(t, copies.Painting(0, 60, 45), late, false)
		if r = s.look(t); r.LookedAt != 2 || r.Unreadable != 1 || r.NotLookedAt != 1 || r.Images != 17 {
			t.Errorf("three more: got %+v, want 2 looked at, of which one is broken, and one left", r)
		}
		s.inWorks(t, "three more", want...)
		must(t, ix.Upsert(t.Context(), []index.Point{{ID: behind, Embedding: late}}))
		if r = s.look(t); r.LookedAt != 1 || r.NotLookedAt != 0 {
			t.Errorf("when the index has it: got %+v, want it to be looked at", r)
		}
		want[0] = append(want[0], behind)
		s.inWorks(t, "when the index has it", want...)
	})
}

// What is no file's fault ends a search, and what was found before it is kept.
func TestASearchThatIsStoppedGoesOnLater(t *testing.T) {
	ix, err := flat.Open(model, dim, flat.DefaultConfig())
	must(t, err)
	defer func() { must(t, ix.Close()) }()
	s := newShelf(t, ix)
	e := s.direction(nil)
	for range 8 {
		s.put(t, nil, s.direction(nil), true)
	}
	a, b := s.put(t, copies.Painting(1, 120, 90), e, true), s.put(t, copies.Painting(1, 80, 60), s.direction(e), true)
	read := s.parts.Sketch
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s.parts.Progress = func(done, _ int64) {
		if done > 0 {
			stop()
		}
	}
	r, err := works.LookBy(ctx, s.parts, 4)
	if !errors.Is(err, context.Canceled) || r.LookedAt == 0 || r.LookedAt == 10 {
		t.Fatalf("stopped: got %+v and %v", r, err)
	}
	s.parts.Progress = nil
	s.parts.Sketch = func(context.Context, palate.ImageID) ([]byte, error) { return nil, palate.ErrUnavailable }
	s.put(t, nil, e, true)
	s.put(t, nil, e, true) // beside each other, so that they are asked for
	if _, err := works.Look(t.Context(), s.parts); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("without the files: got %v, want ErrUnavailable", err)
	}
	s.parts.Sketch = read
	if rest := s.look(t); rest.LookedAt != 12-r.LookedAt || rest.NotLookedAt != 0 {
		t.Errorf("the rest: got %+v after %d", rest, r.LookedAt)
	}
	s.inWorks(t, "in the end", []palate.ImageID{a, b})
}
