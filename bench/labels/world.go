package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/features"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
)

// world is pictures and persons with tastes of them.
type world interface {
	name() string
	embeddings() []palate.Embedding
	// person gives the taste of one person, and what the person says.
	person(seed int64) (truth []bool, says func(i int) bool)
}

// likedStyles of the museum's styles are liked by a person.
const likedStyles = 3

type museumTastes struct {
	rows   []palate.Embedding
	styles []string
	names  []string
	flips  float64
}

func (m *museumTastes) name() string {
	return fmt.Sprintf("museum of %d, baseline embeddings", len(m.rows))
}
func (m *museumTastes) embeddings() []palate.Embedding { return m.rows }

func (m *museumTastes) person(seed int64) ([]bool, func(int) bool) {
	v := museum.NewVisitor(seed, m.names, likedStyles, m.flips)
	truth := make([]bool, len(m.styles))
	for i, style := range m.styles {
		truth[i] = v.Likes(style)
	}
	said := make(map[int]bool) // whoever is asked twice says the same
	return truth, func(i int) bool {
		if _, before := said[i]; !before {
			said[i], _ = v.Says(m.styles[i])
		}
		return said[i]
	}
}

// museumWorld paints and embeds the museum.
func museumWorld(ctx context.Context, pictures int, flips float64) (world, error) {
	config := museum.DefaultConfig()
	config.Pictures = pictures
	m, err := museum.New(config)
	if err != nil {
		return nil, err
	}
	rt, err := ort.Load(ctx, ort.ConfigFromEnv())
	if err != nil {
		return nil, err
	}
	model, description := baseline.Model()
	e, err := onnx.Open(ctx, rt, model, description, onnx.DefaultConfig())
	if err != nil {
		return nil, err
	}
	defer e.Close()
	out := &museumTastes{names: museum.Styles(), flips: flips}
	for _, work := range m.Works() {
		file, err := m.File(work.Index)
		if err != nil {
			return nil, err
		}
		p, _, err := picture.Decode(bytes.NewReader(file), picture.DefaultLimits())
		if err != nil {
			return nil, err
		}
		input, err := e.Prepare(p)
		if err != nil {
			return nil, err
		}
		embedded, err := e.Embed(ctx, []embedder.Input{input})
		if err != nil {
			return nil, err
		}
		out.rows, out.styles = append(out.rows, embedded[0]), append(out.styles, work.Style)
	}
	return out, nil
}

type fileTastes struct {
	rows   []palate.Embedding
	labels []bool
	file   string
}

func (f *fileTastes) name() string                   { return filepath.Base(f.file) }
func (f *fileTastes) embeddings() []palate.Embedding { return f.rows }
func (f *fileTastes) person(int64) ([]bool, func(int) bool) {
	return f.labels, func(i int) bool { return f.labels[i] }
}

func fileWorld(t *features.Table, file string) (world, error) {
	out := &fileTastes{labels: t.Labels, file: file}
	for i, row := range t.Rows {
		var square float64
		for _, v := range row {
			square += float64(v) * float64(v)
		}
		if square == 0 {
			return nil, fmt.Errorf("row %d of %s is all zeros: %w", i, file, palate.ErrInvalid)
		}
		for j := range row {
			row[j] /= float32(math.Sqrt(square))
		}
		out.rows = append(out.rows, row)
	}
	return out, nil
}

// idOf stands for a picture.
func idOf(i int) palate.ImageID {
	return palate.ImageID{0: 1, 14: byte(i >> 16), 15: byte(i >> 8), 13: byte(i)}
}

// halves draws the pictures that can be asked about; the others judge.
func halves(n int, seed int64) (pool, test []int) {
	order := rand.New(rand.NewPCG(uint64(seed), 11)).Perm(n)
	return order[:n/2], order[n/2:]
}
