package vit

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/safetensors"
)

// Inspect reads the architecture of the model in a file from its tensors'
// names and shapes, and from configurations (config.json and
// preprocessor_config.json, in timm's form or in transformers', later over
// earlier) what those don't tell: the number of heads (where nothing is said
// Dim/64, which holds for all published models), LayerNorm's epsilon and how
// pictures come to the model. No tensor's data is read.
//
// A tensor that is missing, of the wrong shape or type, or that is none of
// the model's and may so change what it computes is palate.ErrInvalid, as is
// a configuration of another model.
func Inspect(file *safetensors.File, configs ...[]byte) (Architecture, error) {
	c, err := readConfigs(configs)
	if err != nil {
		return Architecture{}, err
	}
	i := inspection{file: file, known: map[string]bool{}}
	a, err := i.architecture(c)
	if err == nil {
		err = i.left()
	}
	if err != nil {
		return Architecture{}, fmt.Errorf("vision transformer: %w: %w", palate.ErrInvalid, err)
	}
	if err := errors.Join(a.Validate(), c.agrees(a)); err != nil {
		return Architecture{}, err
	}
	return a, nil
}

// inspection holds a file's tensors against what a model has.
type inspection struct {
	file     *safetensors.File
	known    map[string]bool // tensors that have a place in the model
	problems []error
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

// shape gives a tensor's shape, for a tensor from which a size is read.
func (i *inspection) shape(name string, dims int) ([]int, error) {
	t, found := i.file.Tensor(name)
	if !found {
		return nil, fmt.Errorf("tensor %q is missing", name)
	}
	shape := make([]int, len(t.Shape))
	for d, n := range t.Shape {
		if n < 1 || n > math.MaxInt32 {
			return nil, fmt.Errorf("tensor %q has shape %v", name, t.Shape)
		}
		shape[d] = int(n)
	}
	if len(shape) != dims {
		return nil, fmt.Errorf("tensor %q has shape %v, want %d dimensions", name, t.Shape, dims)
	}
	return shape, nil
}

func (i *inspection) has(name string) bool {
	_, found := i.file.Tensor(name)
	return found
}

func (i *inspection) architecture(c configuration) (Architecture, error) {
	var all []string
	for _, t := range i.file.Tensors() {
		all = append(all, t.Name)
	}
	naming, names, found := findNames(i.has, all)
	if !found {
		return Architecture{}, errors.New("the tensors are not those of a vision transformer under timm's or transformers' names: there is no patch embedding")
	}
	a := Architecture{Naming: naming, tensors: names}
	patch, err := i.shape(names.of(-1, patches)+".weight", 4)
	if err != nil {
		return a, err
	}
	a.Dim, a.PatchSize = patch[0], patch[2]
	if a.Depth, err = depth(all, names.blockPrefix); err != nil {
		return a, err
	}
	if !names.has(fc2) {
		return a, fmt.Errorf("tensor %q and its like are missing: block 0 has no MLP", names.blockPrefix+"0."+blockNames[naming][fc2][0]+".weight")
	}
	down, err := i.shape(names.of(0, fc2)+".weight", 2)
	if err != nil {
		return a, err
	}
	a.Hidden = down[1]
	if err := i.optionalParts(&a); err != nil {
		return a, err
	}
	if err := i.grid(&a, c); err != nil {
		return a, err
	}
	a.settle(c)
	return a, i.expect(a)
}

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

// depth counts blocks, which are numbered from 0.
func depth(all []string, blockPrefix string) (int, error) {
	if blockPrefix == "" {
		return 0, errors.New("there is no block 0")
	}
	numbers := map[int]bool{}
	for _, name := range all {
		rest, inBlock := strings.CutPrefix(name, blockPrefix)
		number, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(number); inBlock && err == nil && strconv.Itoa(n) == number {
			numbers[n] = true
		}
	}
	for n := range len(numbers) {
		if !numbers[n] {
			return 0, fmt.Errorf("block %d is missing", n)
		}
	}
	return len(numbers), nil
}

// optionalParts reads which parts the model has that not all models have.
func (i *inspection) optionalParts(a *Architecture) error {
	n := a.tensors
	a.LayerScale = n.has(scale1)
	a.InnerNorm = n.has(innerNorm)
	a.PooledNorm = n.has(pooledNorm)
	a.Rotary = a.Naming == NamingTimm && n.has(query)
	if n.has(registers) {
		shape, err := i.shape(n.of(-1, registers), 3)
		if err != nil {
			return err
		}
		a.Registers = shape[1]
	}
	a.MLP = GELU
	if n.has(gate) {
		a.MLP = SwiGLU
	} else if n.has(fc1) {
		first, err := i.shape(n.of(0, fc1)+".weight", 2)
		if err != nil {
			return err
		}
		if first[0] == 2*a.Hidden {
			a.MLP = SwiGLU
		}
	}
	switch {
	case a.Rotary:
		a.Family = "eva02"
	case a.LayerScale:
		a.Family = "dinov2"
	default:
		a.Family = "vit"
	}
	return nil
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
	linear := func(r role, out, in int) {
		i.want(name(r)+".weight", out, in)
		i.want(name(r)+".bias", out)
	}
	norm := func(r role, n int) {
		i.want(name(r)+".weight", n)
		i.want(name(r)+".bias", n)
	}
	norm(norm1, dim)
	norm(norm2, dim)
	if names.has(packedQKV) {
		linear(packedQKV, 3*dim, dim)
	} else {
		linear(query, dim, dim)
		if i.want(name(key)+".weight", dim, dim); i.has(name(key) + ".bias") {
			i.want(name(key)+".bias", dim) // EVA-02's keys have none
		}
		linear(value, dim, dim)
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

// grid reads how the stored position embedding is laid out: which of its rows
// are of tokens before the patches, and rows and columns of the rest.
func (i *inspection) grid(a *Architecture, c configuration) error {
	name := modelName(*a, positions)
	shape, err := i.shape(name, 3)
	if err != nil {
		return err
	}
	prefixes := []int{1}
	if a.Naming == NamingTimm && a.Registers > 0 {
		prefixes = []int{0, 1, 1 + a.Registers} // timm: no_embed_class, and without it
	}
	stored := func(rows, columns int) bool {
		at := slices.Index(prefixes, shape[1]-rows*columns)
		if at < 0 || rows < 1 || columns < 1 {
			return false
		}
		a.positionPrefix, a.GridRows, a.GridColumns = prefixes[at], rows, columns
		return true
	}
	if len(c.size) == 2 && stored(c.size[0]/a.PatchSize, c.size[1]/a.PatchSize) {
		return nil
	}
	for _, prefix := range prefixes {
		if side := int(math.Round(math.Sqrt(float64(max(0, shape[1]-prefix))))); side*side == shape[1]-prefix && stored(side, side) {
			return nil
		}
	}
	return fmt.Errorf("tensor %q is for %d places, which are no square of patches: say the size in config.json as img_size", name, shape[1])
}

// left refuses tensors that have no place in the model.
func (i *inspection) left() error {
	var left []string
	for _, t := range i.file.Tensors() {
		if i.known[t.Name] || slices.ContainsFunc(ignored, func(end string) bool {
			prefix, found := strings.CutSuffix(t.Name, end)
			return found && (prefix == "" || strings.HasSuffix(prefix, ".") && !strings.ContainsAny(strings.TrimSuffix(prefix, "."), ".0123456789"))
		}) {
			continue
		}
		left = append(left, strconv.Quote(t.Name))
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

var (
	imageNetMean, imageNetStd = [3]float64{.485, .456, .406}, [3]float64{.229, .224, .225}
	clipMean, clipStd         = [3]float64{.48145466, .4578275, .40821073}, [3]float64{.26862954, .26130258, .27577711}
)

// settle fills what tensors don't tell: what the configuration says, or else
// what holds for the published models of the family.
func (a *Architecture) settle(c configuration) {
	a.Heads = c.heads
	if a.Heads == 0 && a.Dim%64 == 0 {
		a.Heads = a.Dim / 64
	}
	a.Epsilon = 1e-6
	if a.Naming == NamingTransformers && a.Family == "vit" {
		a.Epsilon = 1e-12
	}
	if c.epsilon > 0 {
		a.Epsilon = c.epsilon
	}
	a.Resampling = ResampleAntialias
	if a.Naming == NamingTransformers && a.Registers == 0 {
		a.Resampling = ResampleCubic
	}
	p := Preprocessing{Size: a.PatchSize * min(a.GridRows, a.GridColumns), CropRatio: .9, Mean: imageNetMean, Std: imageNetStd, Interpolation: "bicubic"}
	switch a.Family {
	case "dinov2":
		p.CropRatio = 1
	case "eva02":
		p.Mean, p.Std = clipMean, clipStd
	}
	if len(c.size) == 2 {
		p.Size = min(c.size[0], c.size[1])
	}
	if c.shown > 0 {
		p.Size = c.shown
	}
	if c.shortSide >= p.Size && c.shown > 0 {
		p.CropRatio = float64(p.Size) / float64(c.shortSide)
	}
	if c.cropRatio > 0 {
		p.CropRatio = c.cropRatio
	}
	if c.mean != nil {
		p.Mean = *c.mean
	}
	if c.std != nil {
		p.Std = *c.std
	}
	if c.interpolation != "" {
		p.Interpolation = c.interpolation
	}
	a.Preprocessing = p
}
