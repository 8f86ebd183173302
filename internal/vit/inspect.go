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
// the one that goes with timm's name of the architecture, else the model is refused), LayerNorm's epsilon and how
// pictures come to the model. No tensor's data is read.
//
// A tensor that is missing, of the wrong shape or type, or that is none of
// the model's and may so change what it computes is palate.ErrInvalid, as is
// a configuration of another model.
func Inspect(file *safetensors.File, configs ...[]byte) (Architecture, error) {
	return inspect(file, configs, false)
}

// InspectFormer is Inspect as palate did it before it obeyed every field of a
// configuration: heads are Dim/64 where nothing is said, and processors crop.
// What was embedded that way goes on that way.
func InspectFormer(file *safetensors.File, configs ...[]byte) (Architecture, error) {
	return inspect(file, configs, true)
}

func inspect(file *safetensors.File, configs [][]byte, former bool) (Architecture, error) {
	c, err := readConfigs(configs, former)
	if err != nil {
		return Architecture{}, err
	}
	i := inspection{file: file, known: map[string]bool{}}
	a, err := i.architecture(c)
	if err == nil {
		err = i.left(a.tensors.prefix)
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

// grid reads how the stored position embedding is laid out: which of its rows
// are of tokens before the patches, and rows and columns of the rest.
func (i *inspection) grid(a *Architecture, c configuration) error {
	name := modelName(*a, positions)
	shape, err := i.shape(name, 3)
	if err != nil {
		return err
	}
	prefixes := []int{1}
	if a.Naming == NamingTimm {
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
