package vit

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/safetensors"
)

// expect holds the file against all that a model of the architecture has.
func (i *inspection) expect(a Architecture) error {
	i.expectModel(a)
	for block := range a.Depth {
		i.expectBlock(a, block)
	}
	return errors.Join(i.problems...)
}

// checkFile refuses, as palate.ErrInvalid, a file that Inspect did not make a
// of, as far as reading it goes.
func checkFile(file *safetensors.File, a Architecture) error {
	i := inspection{file: file, known: map[string]bool{}}
	if err := i.expect(a); err != nil {
		return fmt.Errorf("the file is not the one whose architecture is given: %w: %w", palate.ErrInvalid, err)
	}
	return nil
}

// want notes a tensor of a shape.
func (i *inspection) want(name string, shape ...int) {
	i.known[name] = true
	t, found := i.file.Tensor(name)
	if !found {
		i.problems = append(i.problems, fmt.Errorf("tensor %q is missing", name))
		return
	}
	fits := len(t.Shape) == len(shape)
	for d := 0; fits && d < len(shape); d++ {
		fits = t.Shape[d] == int64(shape[d])
	}
	if !fits {
		i.problems = append(i.problems, fmt.Errorf("tensor %q has shape %v, want %v", name, t.Shape, shape))
	}
	if t.DType != safetensors.F32 && t.DType != safetensors.F16 && t.DType != safetensors.BF16 {
		i.problems = append(i.problems, fmt.Errorf("tensor %q is of type %s, want F32, F16 or BF16", name, t.DType))
	}
}

// expectModel notes the tensors outside the blocks.
func (i *inspection) expectModel(a Architecture) {
	n, dim := a.tensors, a.Dim
	name := func(r role) string { return modelName(a, r) }
	i.want(name(classToken), 1, 1, dim)
	if a.Registers > 0 {
		i.want(name(registers), 1, a.Registers, dim)
	}
	i.want(name(positions), 1, a.positionPrefix+a.GridRows*a.GridColumns, dim)
	i.want(n.of(-1, patches)+".weight", dim, 3, a.PatchSize, a.PatchSize)
	i.want(n.of(-1, patches)+".bias", dim)
	norm := finalNorm
	if a.PooledNorm {
		norm = pooledNorm // the other one would be left, and refused
	}
	i.want(name(norm)+".weight", dim)
	i.want(name(norm)+".bias", dim)
}

// modelName is a role's name; the usual one if it is missing.
func modelName(a Architecture, r role) string {
	if name, found := a.tensors.model[r]; found {
		return name
	}
	return a.tensors.prefix + modelNames[a.Naming][r][0]
}

// expectBlock notes the tensors of one block.
func (i *inspection) expectBlock(a Architecture, block int) {
	dim, hidden := a.Dim, a.Hidden
	names := a.tensors
	name := func(r role) string {
		if names.has(r) {
			return names.of(block, r)
		}
		return fmt.Sprintf("%s%d.%s", names.blockPrefix, block, blockNames[a.Naming][r][0])
	}
	biased := func(r role, out, in int, bias bool) {
		if i.want(name(r)+".weight", out, in); bias {
			i.want(name(r)+".bias", out)
		}
	}
	linear := func(r role, out, in int) { biased(r, out, in, true) }
	norm := func(r role, n int) {
		i.want(name(r)+".weight", n)
		i.want(name(r)+".bias", n)
	}
	norm(norm1, dim)
	norm(norm2, dim)
	if names.has(packedQKV) {
		biased(packedQKV, 3*dim, dim, a.QKVBias)
	} else {
		biased(query, dim, dim, a.QKVBias)
		biased(key, dim, dim, a.QKVBias && (!a.Rotary || i.has(name(key)+".bias")))
		biased(value, dim, dim, a.QKVBias)
	}
	linear(projection, dim, dim)
	if a.LayerScale {
		i.want(name(scale1), dim)
		i.want(name(scale2), dim)
	}
	switch {
	case names.has(gate):
		linear(gate, hidden, dim)
		linear(up, hidden, dim)
	case a.MLP == SwiGLU:
		linear(fc1, 2*hidden, dim)
	default:
		linear(fc1, hidden, dim)
	}
	if a.InnerNorm {
		norm(innerNorm, hidden)
	}
	linear(fc2, dim, hidden)
}

// left refuses tensors that have no place in the model, whose names begin with
// prefix.
func (i *inspection) left(prefix string) error {
	var left []string
	for _, t := range i.file.Tensors() {
		if !i.known[t.Name] && !slices.Contains(ignored, t.Name) && !slices.Contains(ignored, strings.TrimPrefix(t.Name, prefix)) {
			left = append(left, strconv.Quote(t.Name))
		}
	}
	if len(left) == 0 {
		return nil
	}
	const shown = 5
	more := ""
	if len(left) > shown {
		more = fmt.Sprintf(" and %d more", len(left)-shown)
	}
	return fmt.Errorf("palate doesn't know what these tensors do in a model of this kind: %s%s", strings.Join(left[:min(shown, len(left))], ", "), more)
}
