package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/features"
	"github.com/palate-art/palate/internal/simd"
)

// pictures are a collection's embeddings, with the squared distance of any two.
type pictures struct {
	rows      []palate.Embedding
	distances [][]float32
}

// sortOfTaste draws which pictures a person likes.
type sortOfTaste struct {
	name string
	draw func(r *rand.Rand) []bool
}

const (
	likedShare  = .2 // of the subjects' pictures, in a taste that is drawn
	chanceLiked = .8 // that a noisy person likes a picture of a liked subject,
	chanceOther = .08
)

func read(o options) (*pictures, []sortOfTaste, error) {
	if (o.labels == "") == (o.subjects == "") {
		return nil, nil, fmt.Errorf("give either --labels or --subjects")
	}
	var rows [][]float32
	var tastes []sortOfTaste
	if o.labels != "" {
		table, err := features.Load(o.features, o.labels)
		if err != nil {
			return nil, nil, err
		}
		rows = table.Rows
		tastes = []sortOfTaste{{"given", func(*rand.Rand) []bool { return table.Labels }}}
	} else {
		var err error
		if rows, err = features.LoadRows(o.features); err != nil {
			return nil, nil, err
		}
		subjects, err := lines(o.subjects)
		if err != nil {
			return nil, nil, err
		}
		if len(subjects) == len(rows)+1 {
			subjects = subjects[1:] // the head of a table
		}
		if len(subjects) != len(rows) {
			return nil, nil, fmt.Errorf("%s has %d lines, but %s has %d rows", o.subjects, len(subjects), o.features, len(rows))
		}
		tastes = drawn(subjects)
	}
	p := new(pictures)
	for i, row := range rows {
		e, err := unit(row)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: row %d: %w", o.features, i, err)
		}
		p.rows = append(p.rows, e)
	}
	p.measure()
	return p, tastes, nil
}

func lines(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		out = append(out, strings.TrimSpace(scanner.Text()))
	}
	return out, scanner.Err()
}

func unit(row []float32) (palate.Embedding, error) {
	var square float64
	for _, v := range row {
		square += float64(v) * float64(v)
	}
	if !(square > 0) {
		return nil, fmt.Errorf("all values are 0")
	}
	e := make(palate.Embedding, len(row))
	for j, v := range row {
		e[j] = float32(float64(v) / math.Sqrt(square))
	}
	return e, nil
}

// measure fills the distances.
func (p *pictures) measure() {
	dim := len(p.rows[0])
	flat := make([]float32, 0, len(p.rows)*dim)
	numbers := make([]int32, len(p.rows))
	for i, row := range p.rows {
		flat, numbers[i] = append(flat, row...), int32(i)
	}
	dots, products := simd.Best(), make([]float64, len(p.rows))
	for _, row := range p.rows {
		dots.Dots(flat, dim, numbers, simd.NewQuery(row), products)
		line := make([]float32, len(products))
		for j, product := range products {
			line[j] = float32(max(0, 2-2*product))
		}
		p.distances = append(p.distances, line)
	}
}

// drawn are a clean and a noisy taste for some of the subjects, drawn as the
// pictures show them: a subject of many pictures is liked by as many.
func drawn(subjects []string) []sortOfTaste {
	liked := func(r *rand.Rand) []bool {
		out := make([]bool, len(subjects))
		left := int(likedShare * float64(len(subjects)))
		for _, first := range r.Perm(len(subjects)) {
			if left <= 0 {
				break
			}
			if out[first] {
				continue
			}
			for i, s := range subjects {
				if s == subjects[first] {
					out[i] = true
					left--
				}
			}
		}
		return out
	}
	return []sortOfTaste{
		{"clean", liked},
		{"noisy", func(r *rand.Rand) []bool {
			out := liked(r)
			for i, is := range out {
				chance := chanceOther
				if is {
					chance = chanceLiked
				}
				out[i] = r.Float64() < chance
			}
			return out
		}},
	}
}
