package vit

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/picture"
)

// MLP is a kind of feed-forward network.
type MLP string

// The kinds: GELU is fc2(gelu(fc1 x)) with the exact (erf) GELU; SwiGLU is
// fc2(silu(gate x) · up x), with or without a LayerNorm before fc2.
const (
	GELU   MLP = "gelu"
	SwiGLU MLP = "swiglu"
)

// Naming is whose names the tensors have.
type Naming string

// The namings.
const (
	NamingTimm         Naming = "timm"
	NamingTransformers Naming = "transformers"
	NamingOpenAI       Naming = "OpenAI" // CLIP's, which open_clip has too
)

// Architecture describes one vision transformer. Inspect makes it. What
// tensors don't tell may be changed afterwards: Heads, Epsilon, Resampling and
// Preprocessing; the rest must stay what the file's tensors are.
type Architecture struct {
	// Family is "dinov2", "vit", "eva02", "clip" and the like, for people.
	Family string
	Naming Naming

	Dim       int // width of a token
	Depth     int // number of blocks
	Heads     int // of attention; Dim is a multiple of it
	Hidden    int // width inside the MLP
	PatchSize int // side in pixels
	Registers int // tokens that belong to no patch, beside the class token
	// GridRows and GridColumns are the patches that the stored position
	// embedding was made for.
	GridRows, GridColumns int

	// ClassToken: a token of its own stands before all others.
	ClassToken bool
	// Distilled: the one register is DeiT's distillation token.
	Distilled bool
	// Positions: a position embedding is stored and added to the tokens.
	Positions bool

	MLP        MLP
	Activation Activation // of an MLP that is no SwiGLU
	InnerNorm  bool       // LayerNorm inside the MLP
	LayerScale bool
	// QKVBias: queries, keys and values have a bias; EVA-02's keys need not.
	QKVBias bool
	// Rotary: queries and keys of patches are rotated by their place, as
	// Rotation says; RotationBase is the longest of DINOv3's periods.
	Rotary       bool
	Rotation     Rotation
	RotationBase float64
	// RelativeBias: BEiT's, added to attention by how far two patches are apart.
	RelativeBias bool
	// AttentionNorm: a LayerNorm before attention's projection.
	AttentionNorm bool
	// TokenNorm: a LayerNorm before the first block, as CLIP has it.
	TokenNorm bool
	// PostNorm: a block's LayerNorms come after attention and MLP.
	PostNorm bool
	// PooledNorm: the last LayerNorm comes after the mean of the patches;
	// otherwise it comes before any pooling.
	PooledNorm bool
	Epsilon    float64 // of every LayerNorm

	// Attending: the feature is had by a probe's attention over the tokens, as
	// SigLIP does it. PoolHidden is the width inside its MLP.
	Attending  bool
	PoolHidden int
	// Projected is the length that the feature is brought to by a linear map
	// of its own, as CLIP does it; 0 where it isn't.
	Projected int
	// Pool is what the model was published to be pooled by.
	Pool Pool

	// Resampling is the publisher's rule for position embeddings at another
	// size.
	Resampling    Resampling
	Preprocessing Preprocessing
	// Guessed names what of heads, crop, mean, std, interpolation and fit
	// nobody said: it is what holds for most models.
	Guessed []string

	headOf         Pool // what Projected is of: the class token or the mean
	relativeHeads  int  // columns of the tables of distances
	positionPrefix int  // rows of the stored position embedding before those of patches
	tensors        tensorNames
}

// Preprocessing is how the publisher brings pictures to the model.
type Preprocessing struct {
	Size      int     // side of the square input, pixels
	CropRatio float64 // Size over what the shorter side is resized to
	Mean, Std [3]float64
	// Interpolation is one of picture.Filters.
	Interpolation string
	// Fit is FitCrop, or FitStretch for a processor that gives up the ratio
	// of the sides; CropRatio then is of both.
	Fit embedder.Fit
}

// PrefixTokens is how many tokens stand before those of the patches.
func (a Architecture) PrefixTokens() int {
	if a.ClassToken {
		return 1 + a.Registers
	}
	return a.Registers
}

// hasHead reports whether the published feature is more than one token or
// the mean of the patches.
func (a Architecture) hasHead() bool { return a.Attending || a.Projected > 0 || a.Distilled }

// ordinary reports whether nothing is in the model that only embedding knows:
// such a model has a training form too.
func (a Architecture) ordinary() bool {
	return a.ClassToken && a.Positions && !a.Distilled && !a.RelativeBias && !a.AttentionNorm && !a.TokenNorm && !a.PostNorm && !a.hasHead() &&
		(a.MLP == SwiGLU || a.Activation == GELUErf) && (!a.Rotary || a.Rotation == RotationEVA) && !a.tensors.has(queryBias)
}

func (a Architecture) headDim() int { return a.Dim / a.Heads }

// String is one line for people.
func (a Architecture) String() string {
	parts := []string{fmt.Sprintf("%s, %d wide, %d blocks, %d heads, patches of %d×%d", a.Family, a.Dim, a.Depth, a.Heads, a.PatchSize, a.PatchSize)}
	if a.Registers > 0 {
		parts = append(parts, fmt.Sprintf("%d registers", a.Registers))
	}
	if a.MLP != GELU {
		parts = append(parts, string(a.MLP))
	} else if a.Activation != GELUErf {
		parts = append(parts, string(a.Activation))
	}
	switch {
	case a.Attending:
		parts = append(parts, "pooled by attention")
	case a.Distilled:
		parts = append(parts, "with a distillation token")
	}
	if a.Projected > 0 {
		parts = append(parts, fmt.Sprintf("projected to %d", a.Projected))
	}
	parts = append(parts, fmt.Sprintf("made for %d×%d, names of %s", a.GridColumns*a.PatchSize, a.GridRows*a.PatchSize, a.Naming))
	return strings.Join(parts, ", ")
}

// maxTokens bounds the tokens of one picture: what grows with them is asked
// of memory before anything else could refuse it.
const maxTokens = 1 << 16

// Validate reports everything that is wrong with a, as palate.ErrInvalid.
func (a Architecture) Validate() error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if a.Dim < 1 || a.Depth < 1 || a.Hidden < 1 || a.PatchSize < 1 || a.GridRows < 1 || a.GridColumns < 1 || a.Registers < 0 {
		wrong("%d wide, %d blocks, %d hidden, patches of %d, %d registers, a grid of %d×%d: none may be missing",
			a.Dim, a.Depth, a.Hidden, a.PatchSize, a.Registers, a.GridColumns, a.GridRows)
	}
	switch {
	case a.Heads == 0:
		wrong("how many attention heads it has is told neither by its tensors nor by what stands beside it, and the number changes what it computes: say it with --heads, or as num_heads in config.json")
	case a.Heads < 1 || a.Dim%a.Heads != 0:
		wrong("%d attention heads don't divide a width of %d: say how many there are, in config.json as num_heads", a.Heads, a.Dim)
	case a.Rotary && a.Rotation == "":
		what := "it may turn queries and keys by their place, or not"
		if !a.Positions {
			what = "it has no position embedding, so it turns queries and keys by their place"
		}
		wrong("%s, and by which angles its tensors don't tell: say the model's name as timm has it, with --architecture or as architecture in config.json", what)
	case a.Rotary && a.headDim()%4 != 0:
		wrong("heads of %d values can't be rotated by row and column: want a multiple of 4", a.headDim())
	}
	if a.MLP != GELU && a.MLP != SwiGLU {
		wrong("MLP %q is none of %q, %q", a.MLP, GELU, SwiGLU)
	}
	if a.MLP == GELU && a.Activation == "" {
		wrong("whether its MLPs compute GELU or CLIP's quick GELU, its tensors don't tell, and the embeddings would be wrong: say hidden_act in config.json, or the model's name as timm has it with --architecture")
	}
	if a.RelativeBias && !a.ClassToken {
		wrong("relative positions without a class token: want one")
	}
	if !(a.Epsilon > 0 && a.Epsilon < 1) {
		wrong("LayerNorm epsilon %v, want above 0, below 1", a.Epsilon)
	}
	if err := a.Resampling.validate(); err != nil {
		problems = append(problems, err)
	}
	p := a.Preprocessing
	if p.Size < 1 || !(p.CropRatio > 0 && p.CropRatio <= 1) {
		wrong("input size %d, crop ratio %v: want a size above 0 and a ratio above 0, at most 1", p.Size, p.CropRatio)
	}
	if !slices.Contains(picture.Filters(), picture.Filter(p.Interpolation)) {
		wrong("pictures are resized by %q, which palate can't: want one of %q", p.Interpolation, picture.Filters())
	}
	if p.Fit != embedder.FitCrop && p.Fit != embedder.FitStretch {
		wrong("pictures are fitted by %q: want %q or %q", p.Fit, embedder.FitCrop, embedder.FitStretch)
	}
	for c := range 3 {
		if math.IsNaN(p.Mean[c]) || math.IsInf(p.Mean[c], 0) || !(p.Std[c] > 0) || math.IsInf(p.Std[c], 0) {
			wrong("mean %v and std %v of the pixels: want finite numbers, std above 0", p.Mean, p.Std)
			break
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("vision transformer: %w: %w", palate.ErrInvalid, errors.Join(problems...))
	}
	return nil
}
