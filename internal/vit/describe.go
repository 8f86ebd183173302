package vit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/palate-art/palate/embedder"
)

// Describe says how pictures come to the graph that Build makes of a model
// whose file has the SHA-256 weights, what its output is and which function
// it computes, without building it. Options that a can't have are
// palate.ErrInvalid.
//
// Graphs of one function have one Identity: float32 and float16, fused and
// plain, with tokens and without. The rule of resampling is part of it only
// where anything is resampled.
func Describe(weights [sha256.Size]byte, a Architecture, o Options) (embedder.Description, error) {
	o = o.Fill(a)
	if err := errors.Join(a.Validate(), o.validate(a)); err != nil {
		return embedder.Description{}, err
	}
	d := embedder.Description{
		Name:         o.Name,
		Licence:      o.Licence,
		Input:        embedder.InputDescription{Name: PixelsName, Width: o.Width, Height: o.Height, Layout: embedder.LayoutNCHW},
		Fit:          o.Fit,
		ShortSide:    o.ShortSide,
		Resample:     a.Preprocessing.Interpolation,
		Rules:        o.Rules,
		Mean:         a.Preprocessing.Mean,
		Std:          a.Preprocessing.Std,
		Output:       embedder.OutputDescription{Name: EmbeddingName, Pooling: embedder.PoolNone},
		Normalise:    embedder.NormaliseL2,
		NumericClass: embedder.NumericFloat,
	}
	if o.free() {
		d.Input.Multiple = a.PatchSize
	}
	if o.Precision == Int8 {
		d.NumericClass = embedder.NumericInt8
	}
	d = d.Identify(function(weights, a, o))
	if o.Tokens {
		d.Output.Patches = embedder.PatchDescription{Name: TokensName, PrefixTokens: a.PrefixTokens()}
	}
	return d, d.Validate()
}

// function is the part of the fingerprint that an embedder.Description
// doesn't hold: a hash over a text of the form "palate vision transformer 1",
// then one line for each property in a fixed order.
func function(weights [sha256.Size]byte, a Architecture, o Options) [sha256.Size]byte {
	var b strings.Builder
	line := func(key string, value any) { fmt.Fprintf(&b, "%s=%v\n", key, value) }
	b.WriteString("palate vision transformer 1\n")
	line("weights", hex.EncodeToString(weights[:]))
	line("dim", a.Dim)
	line("depth", a.Depth)
	line("heads", a.Heads)
	line("hidden", a.Hidden)
	line("mlp", a.MLP)
	line("inner_norm", a.InnerNorm)
	line("layer_scale", a.LayerScale)
	line("registers", a.Registers)
	line("patch", a.PatchSize)
	line("grid", fmt.Sprintf("%dx%d", a.GridColumns, a.GridRows))
	line("position_prefix", a.positionPrefix)
	if a.Rotary {
		base, grid := rotaryBase, rotaryGrid
		if a.Rotation == RotationDINOv3 {
			base, grid = a.RotationBase, 2
		}
		line("rotary", fmt.Sprintf("%v/%d", base, grid))
	}
	for _, further := range a.further() {
		line("further", further)
	}
	line("epsilon", a.Epsilon)
	line("pooled_norm", a.PooledNorm)
	line("pool", o.Pool)
	if o.free() || o.Width != a.GridColumns*a.PatchSize || o.Height != a.GridRows*a.PatchSize {
		line("position_resampling", o.Resampling)
	}
	return sha256.Sum256([]byte(b.String()))
}

// further names the parts that models had not when the text was first written.
func (a Architecture) further() []string {
	var names []string
	for _, part := range []struct {
		name string
		has  bool
	}{
		{"no class token", !a.ClassToken}, {"no positions", !a.Positions}, {"distilled", a.Distilled}, {"relative bias", a.RelativeBias},
		{"attention norm", a.AttentionNorm}, {"token norm", a.TokenNorm}, {"post norm", a.PostNorm}, {"attending", a.Attending},
		{fmt.Sprintf("projected %d", a.Projected), a.Projected > 0}, {string(a.Activation), a.MLP == GELU && a.Activation != GELUErf},
	} {
		if part.has {
			names = append(names, part.name)
		}
	}
	return names
}
