package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/works"
	"github.com/palate-art/palate/test/copies"
)

const madeModel = palate.ModelID("00000000000000000000000000000000000000000000000000000000000be7c4")

// shelf keeps copies in memory, so that the catalog's commits are not measured.
type shelf struct {
	ids    []palate.ImageID // in order
	looked map[palate.ImageID]bool
	pairs  int
}

func (s *shelf) PutCopies(_ context.Context, _ int, looked []palate.ImageID, pairs [][2]palate.ImageID) error {
	for _, id := range looked {
		s.looked[id] = true
	}
	s.pairs += len(pairs)
	return nil
}

func (s *shelf) NotLookedAt(_ context.Context, _ int, _ palate.ModelID, after palate.ImageID, limit int) (ids []palate.ImageID, err error) {
	from, _ := slices.BinarySearchFunc(s.ids, after, func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range s.ids[from:] {
		if len(ids) < limit && !s.looked[id] && id != after {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (s *shelf) Works(context.Context, int) ([][]palate.ImageID, error) { return nil, nil }

func (s *shelf) CopiesOf(context.Context, int, palate.ImageID) ([]palate.ImageID, error) {
	return nil, nil
}

func (s *shelf) CountCopies(context.Context, int) (catalog.CopyCounts, error) {
	return catalog.CopyCounts{LookedAt: len(s.looked), NotLookedAt: len(s.ids) - len(s.looked)}, nil
}

// points says how long a search for copies among so many made-up embeddings
// takes, in the embedded index, and what a thousand more cost then. Sketches are
// made before: decoding pictures is not in it.
func points(ctx context.Context, n, dim int) error {
	const more, clouds, paintings = 1000, 500, 300
	random := rand.New(rand.NewPCG(5, 8))
	ix, err := flat.Open(madeModel, dim, flat.DefaultConfig())
	if err != nil {
		return err
	}
	defer ix.Close()
	var sketches [][]byte
	for i := range paintings {
		s, err := copies.Sketch(copies.Painting(uint64(i), 96, 72))
		if err != nil {
			return err
		}
		sketches = append(sketches, s[:])
	}
	s := &shelf{looked: map[palate.ImageID]bool{}}
	parts := works.Parts{Catalog: s, Index: ix, Sketch: func(_ context.Context, id palate.ImageID) ([]byte, error) {
		return sketches[int(binary.BigEndian.Uint32(id[12:]))%paintings], nil
	}}
	middles := make([]palate.Embedding, clouds)
	for i := range middles {
		middles[i] = around(random, make(palate.Embedding, dim))
	}
	fill := func(n int) error {
		var batch []index.Point
		for range n {
			var id palate.ImageID
			binary.BigEndian.PutUint64(id[:], random.Uint64())
			binary.BigEndian.PutUint32(id[12:], random.Uint32())
			s.ids = append(s.ids, id)
			batch = append(batch, index.Point{ID: id, Embedding: around(random, middles[random.IntN(clouds)])})
		}
		slices.SortFunc(s.ids, func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
		return ix.Upsert(ctx, batch)
	}
	fmt.Println("| pictures | looked at | comparisons | seconds | CPU seconds |\n|---|---|---|---|---|")
	for _, count := range []int{n, more} {
		if err := fill(count); err != nil {
			return err
		}
		used := cpu()
		r, err := works.Look(ctx, parts)
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %d | %d | %.1f | %.1f |\n", len(s.ids), r.LookedAt, r.Compared, r.Seconds, (cpu() - used).Seconds())
	}
	return nil
}

// around is a direction near another; near nothing it is any.
func around(random *rand.Rand, middle palate.Embedding) palate.Embedding {
	e, norm := make(palate.Embedding, len(middle)), 0.
	for i := range e {
		e[i] = middle[i] + float32(.6*random.NormFloat64()/math.Sqrt(float64(len(e))))
		norm += float64(e[i] * e[i])
	}
	for i := range e {
		e[i] /= float32(math.Sqrt(norm))
	}
	return e
}
