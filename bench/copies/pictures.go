package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/test/copies"
)

// longest is the longer side that pictures are brought to before copies of
// them are made.
const longest = 480

// bench embeds pictures by the built-in model.
type bench struct {
	embedder *onnx.Embedder
	random   *rand.Rand
}

// recall says of every kind of copy how many are held together with what they
// were made from, and how many of the pictures are held together with others.
func recall(ctx context.Context, folder string, count int) error {
	runtime, err := ort.Load(ctx, ort.ConfigFromEnv())
	if err != nil {
		return err
	}
	model, description := baseline.Model()
	b := &bench{random: rand.New(rand.NewPCG(1, 1))}
	if b.embedder, err = onnx.Open(ctx, runtime, model, description, onnx.DefaultConfig()); err != nil {
		return err
	}
	defer b.embedder.Close()
	pictures, err := load(folder, count)
	if err != nil {
		return err
	}
	var originals []probe.Example
	for i, m := range pictures {
		e, err := b.example(ctx, m, i, 0)
		if err != nil {
			return err
		}
		originals = append(originals, e)
	}
	set, err := probe.Set(ctx, originals, true)
	if err != nil {
		return err
	}
	fmt.Printf("%d different pictures: %d works\n", len(originals), set.Groups())
	fmt.Printf("%-40s %8s %8s %8s\n", "one copy of each", "together", "recall", "works")
	all := slices.Clone(originals)
	for k, kind := range copies.Kinds {
		examples := slices.Clone(originals)
		for i, m := range pictures {
			made, err := kind.Make(b.random, m)
			if err != nil {
				return err
			}
			e, err := b.example(ctx, made, i, k+1)
			if err != nil {
				return err
			}
			examples = append(examples, e)
			if k < 6 {
				all = append(all, e)
			}
		}
		if err := tell(ctx, kind.Name, examples, len(pictures)); err != nil {
			return err
		}
	}
	return tell(ctx, "the first six at once", all, len(pictures))
}

// tell prints how many copies are in the group of their original.
func tell(ctx context.Context, name string, examples []probe.Example, originals int) error {
	set, err := probe.Set(ctx, examples, true)
	if err != nil {
		return err
	}
	together := 0
	each := len(examples) / originals // IDs put those of one picture beside each other
	for i := range examples {
		if i%each > 0 && set.Group(i) == set.Group(i-i%each) {
			together++
		}
	}
	copied := len(examples) - originals
	fmt.Printf("%-40s %8d %8.3f %8d\n", name, together, float64(together)/float64(copied), set.Groups())
	return nil
}

func (b *bench) example(ctx context.Context, m *picture.RGB, number, of int) (e probe.Example, err error) {
	s, err := copies.Sketch(m)
	if err != nil {
		return e, err
	}
	input, err := b.embedder.Prepare(m)
	if err != nil {
		return e, err
	}
	embeddings, err := b.embedder.Embed(ctx, []embedder.Input{input})
	if err != nil {
		return e, err
	}
	binary.BigEndian.PutUint32(e.Image[:], uint32(number+1))
	e.Image[4] = byte(of)
	e.Embedding, e.Liked, e.Sketch = embeddings[0], number%3 == 0, func() []byte { return s[:] }
	return e, nil
}

// load decodes the first pictures of a folder.
func load(folder string, count int) (pictures []*picture.RGB, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || len(pictures) == count {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		m, _, err := picture.DecodeAtLeast(file, picture.DefaultLimits(), longest/2)
		if errors.Is(err, palate.ErrInvalid) {
			return nil // not a picture
		}
		if err != nil {
			return err
		}
		if long := max(m.Width, m.Height); long > longest {
			m, err = picture.Resize(m, max(1, m.Width*longest/long), max(1, m.Height*longest/long))
		}
		pictures = append(pictures, m)
		return err
	})
	return pictures, err
}
