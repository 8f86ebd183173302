package vit

import (
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
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
	stored       []float32 // the published position embedding, row by row; nil without one
	periods      []float32 // of DINOv3's rotation, where they are stored
	relative     [][]float32
}

// at gives the tables for an input of width × height pixels.
func (t tables) at(width, height int) (map[string]embedder.Tensor, error) {
	a := t.architecture
	if err := checkSize(a, width, height); err != nil {
		return nil, err
	}
	rows, columns := height/a.PatchSize, width/a.PatchSize
	tokens := a.PrefixTokens() + rows*columns
	all := map[string]embedder.Tensor{}
	if a.Positions {
		all[positionName] = embedder.Tensor{Shape: []int64{1, int64(tokens), int64(a.Dim)}, Data: t.position(rows, columns)}
	}
	for n, table := range t.relative {
		all[relativeName(n)] = embedder.Tensor{Shape: []int64{1, int64(a.Heads), int64(tokens), int64(tokens)}, Data: relativeBias(a, table, rows, columns)}
	}
	if a.Rotary {
		cos, sin := rotary(a, rows, columns)
		if a.Rotation == RotationDINOv3 {
			cos, sin = t.centred(rows, columns)
		}
		shape := []int64{int64(tokens), int64(a.headDim() / 2)}
		all[cosineName], all[sineName] = embedder.Tensor{Shape: shape, Data: cos}, embedder.Tensor{Shape: shape, Data: sin}
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

// dinov3Base is DINOv3's longest period where none is said.
const dinov3Base = 100.0

// centred gives the tables of DINOv3's rotation: angles 2π · place / period for
// places from -1 to 1 at the middles of the patches, of the row, then of the
// column, at periods base^(i/n), i = 0 … n-1, n = head/4.
func (t tables) centred(rows, columns int) (cos, sin []float32) {
	a := t.architecture
	n := a.headDim() / 4
	for range a.PrefixTokens() * 2 * n {
		cos, sin = append(cos, 1), append(sin, 0)
	}
	add := func(place, all int) {
		at := 2*(float64(place)+0.5)/float64(all) - 1
		for i := range n {
			period := math.Pow(a.RotationBase, float64(i)/float64(n))
			if t.periods != nil {
				period = float64(t.periods[i])
			}
			s, c := math.Sincos(2 * math.Pi * at / period)
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

// relativeName is the value that holds what is added to a block's attention.
func relativeName(block int) string { return fmt.Sprintf("relative.%d", block) }

// relativeBias spreads a table of distances, [(2·rows − 1)·(2·columns − 1) + 3,
// heads] for the stored grid, over every two tokens of another grid, [heads,
// tokens, tokens]. Its last three rows are from the class token, to it, and
// from it to itself. Another grid's distances are interpolated linearly, with
// samples at the middles, as transformers does it.
func relativeBias(a Architecture, table []float32, rows, columns int) []float32 {
	h := a.Heads
	fromRows, fromColumns, toRows, toColumns := 2*a.GridRows-1, 2*a.GridColumns-1, 2*rows-1, 2*columns-1
	last := table[fromRows*fromColumns*h:]
	grid := table[:fromRows*fromColumns*h]
	if fromRows != toRows || fromColumns != toColumns {
		grid = resampleWith(linearTaps, grid, h, fromRows, fromColumns, toRows, toColumns)
	}
	tokens := 1 + rows*columns
	out := make([]float32, h*tokens*tokens)
	for q := range tokens {
		for k := range tokens {
			var from []float32
			switch {
			case q == 0 && k == 0:
				from = last[2*h:]
			case q == 0:
				from = last
			case k == 0:
				from = last[h:]
			default:
				down := (q-1)/columns - (k-1)/columns + rows - 1
				across := (q-1)%columns - (k-1)%columns + columns - 1
				from = grid[(down*toColumns+across)*h:]
			}
			for head := range h {
				out[(head*tokens+q)*tokens+k] = from[head]
			}
		}
	}
	return out
}

// linearTaps are the shares of linear interpolation between the two nearest
// samples, the edge repeated.
func linearTaps(in, out int) [][]tap {
	all := make([][]tap, out)
	for o := range all {
		at := max((float64(o)+0.5)*float64(in)/float64(out)-0.5, 0)
		first := min(int(at), in-1)
		part := at - float64(first)
		all[o] = []tap{{first, 1 - part}, {min(first+1, in-1), part}}
	}
	return all
}
