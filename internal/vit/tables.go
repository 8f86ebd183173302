package vit

import (
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

// The names of what depends on the grid of patches: constants of a graph for
// one size, inputs of one for all.
const (
	positionName = "position"   // [1, tokens, dim]
	cosineName   = "rotary/cos" // [tokens, head width/2]
	sineName     = "rotary/sin"
)

// tables computes, for any grid, what is added to and multiplied with tokens
// by their place.
type tables struct {
	architecture Architecture
	resampling   Resampling
	stored       []float32 // the published position embedding, row by row
}

// at gives the tables for an input of width × height pixels.
func (t tables) at(width, height int) (map[string]ort.Tensor, error) {
	a := t.architecture
	if err := checkSize(a, width, height); err != nil {
		return nil, err
	}
	rows, columns := height/a.PatchSize, width/a.PatchSize
	tokens := a.PrefixTokens() + rows*columns
	all := map[string]ort.Tensor{
		positionName: {Shape: []int64{1, int64(tokens), int64(a.Dim)}, Data: t.position(rows, columns)},
	}
	if a.Rotary {
		cos, sin := rotary(a, rows, columns)
		shape := []int64{int64(tokens), int64(a.headDim() / 2)}
		all[cosineName], all[sineName] = ort.Tensor{Shape: shape, Data: cos}, ort.Tensor{Shape: shape, Data: sin}
	}
	return all, nil
}

// checkSize refuses, as palate.ErrInvalid, an input that patches don't fill.
func checkSize(a Architecture, width, height int) error {
	p := a.PatchSize
	if width < p || height < p || width%p != 0 || height%p != 0 {
		near := func(n int) int { return max(1, (n+p/2)/p) * p }
		return fmt.Errorf("an input of %d×%d is not made of patches of %d×%d pixels, as %d×%d is: %w", width, height, p, p, near(width), near(height), palate.ErrInvalid)
	}
	if tokens := int64(width/p)*int64(height/p) + int64(a.PrefixTokens()); tokens > maxTokens {
		return fmt.Errorf("an input of %d×%d has %d tokens, at most %d: %w", width, height, tokens, maxTokens, palate.ErrInvalid)
	}
	return nil
}

// position is what is added to each token, [tokens, dim]: nothing to those
// for which nothing is stored.
func (t tables) position(rows, columns int) []float32 {
	a := t.architecture
	prefix := t.stored[:a.positionPrefix*a.Dim]
	grid := t.resampling.resample(t.stored[len(prefix):], a.Dim, a.GridRows, a.GridColumns, rows, columns)
	out := make([]float32, a.PrefixTokens()*a.Dim, a.PrefixTokens()*a.Dim+len(grid))
	copy(out, prefix)
	return append(out, grid...)
}

const (
	rotaryBase = 10000.0
	// rotaryGrid is the grid that EVA-02 was trained on first: places on any
	// other are scaled to its length.
	rotaryGrid = 16
)

// rotary gives cosine and sine of each token's angles, [tokens, head/2] each:
// of the row, then of the column, at frequencies base^(-i/n), i = 0 … n-1, n
// = head/4. Pair i of a head's values is turned by angle i. Tokens before
// those of the patches are not turned.
func rotary(a Architecture, rows, columns int) (cos, sin []float32) {
	n := a.headDim() / 4
	for range a.PrefixTokens() * 2 * n {
		cos, sin = append(cos, 1), append(sin, 0)
	}
	add := func(place, all int) {
		at := float64(place) / float64(all) * rotaryGrid
		for i := range n {
			s, c := math.Sincos(at * math.Pow(rotaryBase, -float64(i)/float64(n)))
			cos, sin = append(cos, float32(c)), append(sin, float32(s))
		}
	}
	for r := range rows {
		for c := range columns {
			add(r, rows)
			add(c, columns)
		}
	}
	return cos, sin
}
