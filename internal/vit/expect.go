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
func checkFile(file Tensors, a Architecture) error {
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
	flat := func(r role, shape ...int) { // or without the first dimensions, which are 1
		if t, found := i.file.Tensor(name(r)); found && len(t.Shape) < len(shape) {
			shape = shape[len(shape)-max(1, len(t.Shape)):]
		}
		i.want(name(r), shape...)
	}
	if a.ClassToken {
		flat(classToken, 1, 1, dim)
	}
	if a.Registers > 0 {
		i.want(name(registers), 1, a.Registers, dim)
	}
	if a.Positions {
		flat(positions, 1, a.positionPrefix+a.GridRows*a.GridColumns, dim)
	}
	if n.has(periods) {
		i.want(name(periods), a.headDim()/4)
	}
	i.want(weightOf(n.of(-1, patches)), dim, 3, a.PatchSize, a.PatchSize)
	if !a.TokenNorm || i.has(biasOf(n.of(-1, patches))) {
		i.want(biasOf(n.of(-1, patches)), dim)
	}
	norm := finalNorm
	if a.PooledNorm {
		norm = pooledNorm // the other one would be left, and refused
	}
	i.wantNorm(name(norm), dim)
	if a.TokenNorm {
		i.wantNorm(name(tokenNorm), dim)
	}
	i.expectHead(a)
}

func (i *inspection) wantNorm(name string, n int) {
	i.want(weightOf(name), n)
	i.want(biasOf(name), n)
}

func (i *inspection) wantLinear(name string, out, in int) {
	i.want(weightOf(name), out, in)
	i.want(biasOf(name), out)
}

// expectHead notes the tensors that make the feature of the tokens.
func (i *inspection) expectHead(a Architecture) {
	n, dim := a.tensors, a.Dim
	name := func(r role) string { return modelName(a, r) }
	if a.Attending {
		i.want(name(probe), 1, 1, dim)
		if n.has(poolPacked) {
			i.wantLinear(name(poolPacked), 3*dim, dim)
		} else {
			i.wantLinear(name(poolQuery), dim, dim)
			i.wantLinear(name(poolKV), 2*dim, dim)
		}
		i.wantLinear(name(poolOut), dim, dim)
		i.wantNorm(name(poolNorm), dim)
		i.wantLinear(name(poolFC1), a.PoolHidden, dim)
		i.wantLinear(name(poolFC2), dim, a.PoolHidden)
	}
	switch {
	case n.has(outProjectionT):
		i.known[name(outProjectionT)] = true
		if a.Projected > 0 {
			i.want(name(outProjectionT), dim, a.Projected)
		}
	case n.has(outProjection):
		i.known[weightOf(name(outProjection))] = true
		if a.Projected > 0 {
			i.want(weightOf(name(outProjection)), a.Projected, dim)
		}
	}
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
		if i.want(weightOf(name(r)), out, in); bias {
			i.want(biasOf(name(r)), out)
		}
	}
	linear := func(r role, out, in int) { biased(r, out, in, true) }
	norm := func(r role, n int) { i.wantNorm(name(r), n) }
	norm(norm1, dim)
	norm(norm2, dim)
	switch {
	case names.has(queryBias):
		biased(packedQKV, 3*dim, dim, false)
		i.want(name(queryBias), dim)
		i.want(name(valueBias), dim)
	case names.has(packedQKV):
		biased(packedQKV, 3*dim, dim, a.QKVBias)
	default:
		biased(query, dim, dim, a.QKVBias)
		biased(key, dim, dim, a.QKVBias && (!a.Rotary && !a.RelativeBias || i.has(biasOf(name(key)))))
		biased(value, dim, dim, a.QKVBias)
	}
	if a.AttentionNorm {
		norm(attnNorm, dim)
	}
	if a.RelativeBias {
		i.want(name(relative), (2*a.GridRows-1)*(2*a.GridColumns-1)+3, a.Heads)
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

// left refuses tensors that have no place in the model.
func (i *inspection) left(a Architecture) error {
	var left []string
	for _, t := range i.file.Tensors() {
		if !i.known[t.Name] && !a.ignores(t.Name) {
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

// ignores reports whether a tensor has no part in a picture's tokens.
func (a Architecture) ignores(name string) bool {
	inside, found := strings.CutPrefix(name, a.tensors.prefix)
	if slices.Contains(ignored, name) || found && slices.Contains(ignored, inside) {
		return true
	}
	for _, ending := range ignoredEndings {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	if found && a.tensors.prefix != "" {
		return false
	}
	for _, beginning := range ignoredOutside[a.Naming] {
		if strings.HasPrefix(name, beginning) {
			return true
		}
	}
	return false
}
