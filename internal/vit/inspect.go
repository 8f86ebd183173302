package vit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/safetensors"
)

// Tensors are a model's, from a file or several, in whatever format. A
// *safetensors.File is one. Implementations are safe for concurrent use.
type Tensors interface {
	// Tensors lists all by name.
	Tensors() []safetensors.Tensor
	// Tensor tells of one.
	Tensor(name string) (safetensors.Tensor, bool)
	// Float32s reads one row by row, with the errors of safetensors.File.
	Float32s(name string) ([]float32, error)
	// SHA256 identifies all that was read, with the errors of safetensors.File.
	SHA256(ctx context.Context) ([sha256.Size]byte, error)
}

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
func Inspect(file Tensors, configs ...[]byte) (Architecture, error) {
	return inspect(file, configs, false)
}

// InspectFormer is Inspect as palate did it before it obeyed every field of a
// configuration: heads are Dim/64 where nothing is said, and processors crop.
// What was embedded that way goes on that way.
func InspectFormer(file Tensors, configs ...[]byte) (Architecture, error) {
	return inspect(file, configs, true)
}

func inspect(file Tensors, configs [][]byte, former bool) (Architecture, error) {
	c, err := readConfigs(configs, former)
	if err != nil {
		return Architecture{}, err
	}
	i := inspection{file: file, known: map[string]bool{}}
	a, err := i.architecture(c)
	if err == nil {
		err = i.left(a)
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
	file     Tensors
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
	patch, err := i.shape(weightOf(names.of(-1, patches)), 4)
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
	down, err := i.shape(weightOf(names.of(0, fc2)), 2)
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
	if err := a.settle(c, i); err != nil {
		return a, err
	}
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
	a.ClassToken, a.Positions = n.has(classToken), n.has(positions)
	a.LayerScale, a.InnerNorm, a.PooledNorm = n.has(scale1), n.has(innerNorm), n.has(pooledNorm)
	a.TokenNorm, a.AttentionNorm, a.RelativeBias = n.has(tokenNorm), n.has(attnNorm), n.has(relative)
	a.Attending = n.has(probe)
	a.Rotary = !a.Positions && !a.RelativeBias || a.Naming == NamingTimm && n.has(query)
	if n.has(registers) {
		shape, err := i.shape(n.of(-1, registers), 3)
		if err != nil {
			return err
		}
		a.Registers = shape[1]
		a.Distilled = strings.HasSuffix(n.of(-1, registers), distToken) || strings.HasSuffix(n.of(-1, registers), distillationToken)
	}
	a.MLP = GELU
	if n.has(gate) {
		a.MLP = SwiGLU
	} else if n.has(fc1) {
		first, err := i.shape(weightOf(n.of(0, fc1)), 2)
		if err != nil {
			return err
		}
		if first[0] == 2*a.Hidden {
			a.MLP = SwiGLU
		}
	}
	if a.Attending {
		shape, err := i.shape(weightOf(n.of(-1, poolFC1)), 2)
		if err != nil {
			return fmt.Errorf("the pooling head: %w", err)
		}
		a.PoolHidden = shape[0]
	}
	return nil
}

// family is what people call models like it.
func (a Architecture) family(c configuration) string {
	siglip := a.Attending && !a.ClassToken
	switch {
	case a.Rotation == RotationDINOv3 || c.modelType == "dinov3_vit":
		return "dinov3"
	case a.Rotary, strings.HasPrefix(c.architecture, "eva02"):
		return "eva02"
	case siglip || strings.HasPrefix(c.modelType, "siglip"):
		return "siglip"
	case a.TokenNorm:
		return "clip"
	case a.RelativeBias:
		return "beit"
	case a.Distilled:
		return "deit"
	case c.modelType == "ijepa":
		return "ijepa"
	case strings.HasPrefix(c.architecture, "deit3") && !c.former:
		return "vit"
	case a.LayerScale:
		return "dinov2"
	}
	return "vit"
}

// grid reads how the stored position embedding is laid out: which of its rows
// are of tokens before the patches, and rows and columns of the rest.
func (i *inspection) grid(a *Architecture, c configuration) error {
	if a.RelativeBias {
		return i.relativeGrid(a, c)
	}
	if !a.Positions {
		a.GridRows, a.GridColumns = 224/a.PatchSize, 224/a.PatchSize
		if len(c.size) == 2 {
			a.GridRows, a.GridColumns = c.size[0]/a.PatchSize, c.size[1]/a.PatchSize
		}
		if !a.Rotary || a.GridRows < 1 || a.GridColumns < 1 {
			return fmt.Errorf("tensor %q is missing", modelName(*a, positions))
		}
		return nil
	}
	name := modelName(*a, positions)
	t, found := i.file.Tensor(name)
	if !found || len(t.Shape) < 2 || len(t.Shape) > 3 || t.Shape[len(t.Shape)-2] > math.MaxInt32 {
		return fmt.Errorf("tensor %q has shape %v, want [1, places, %d] or [places, %d]", name, t.Shape, a.Dim, a.Dim)
	}
	places := int(t.Shape[len(t.Shape)-2])
	prefixes := []int{1}
	switch {
	case !a.ClassToken && a.Naming == NamingTimm:
		prefixes = []int{0, a.Registers}
	case !a.ClassToken:
		prefixes = []int{0}
	case a.Distilled:
		prefixes = []int{2}
	case a.Naming == NamingTimm:
		prefixes = []int{0, 1, 1 + a.Registers} // timm: no_embed_class, and without it
	}
	stored := func(rows, columns int) bool {
		at := slices.Index(prefixes, places-rows*columns)
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
		if side := int(math.Round(math.Sqrt(float64(max(0, places-prefix))))); side*side == places-prefix && stored(side, side) {
			return nil
		}
	}
	return fmt.Errorf("tensor %q is for %d places, which are no square of patches: say the size in config.json as img_size", name, places)
}

// relativeGrid reads the grid from a table of distances: (2n − 1)² of them and
// three with the class token.
func (i *inspection) relativeGrid(a *Architecture, c configuration) error {
	name := a.tensors.of(0, relative)
	shape, err := i.shape(name, 2)
	if err != nil {
		return err
	}
	a.relativeHeads = shape[1]
	if a.Positions { // a few models have both
		a.positionPrefix = 1
	}
	if len(c.size) == 2 {
		a.GridRows, a.GridColumns = c.size[0]/a.PatchSize, c.size[1]/a.PatchSize
		if (2*a.GridRows-1)*(2*a.GridColumns-1) == shape[0]-3 {
			return nil
		}
	}
	side := int(math.Round(math.Sqrt(float64(max(0, shape[0]-3)))))
	if side*side != shape[0]-3 || side%2 == 0 {
		return fmt.Errorf("tensor %q is for %d distances, which are those of no square of patches: say the size in config.json as img_size", name, shape[0])
	}
	a.GridRows, a.GridColumns = (side+1)/2, (side+1)/2
	return nil
}
