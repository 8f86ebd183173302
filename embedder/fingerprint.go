package embedder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// Fingerprint names the function that a model described by d computes (see
// palate.ModelID). weights is the SHA-256 of what holds its weights: for a
// foreign ONNX model that of the model's file, whose weights can't be told
// from its graph, so that the same model exported anew is another model; for
// a graph that palate writes itself, that of the weights alone.
// What comes before the model, from a picture's file to the numbers that
// Description.Prepare gives, is in it by d's rules.
//
// The hash is over a text of the form "palate model 1", then one line for
// each property in a fixed order. The names of model and input and the
// licence are not in it; the output's name is, as it chooses among functions.
func Fingerprint(weights [sha256.Size]byte, d Description) palate.ModelID {
	var b strings.Builder
	line := func(key string, value any) { fmt.Fprintf(&b, "%s=%v\n", key, value) }
	b.WriteString("palate model 1\n")
	line("weights", hex.EncodeToString(weights[:]))
	line("version", fmt.Sprintf("%q", d.Version))
	line("input", fmt.Sprintf("%dx%d", d.Input.Width, d.Input.Height))
	line("preprocessing", d.Rules.OrCurrent())
	line("fit", d.Fit)
	if d.Fit == FitCrop || d.Fit == FitStretch && d.ShortSide != 0 {
		line("short_side", d.shortSide())
	}
	if d.Fit == FitWhole {
		line("multiple", d.Input.Multiple)
	}
	line("resample", d.Resample)
	line("mean", d.Mean)
	line("std", d.Std)
	line("output", fmt.Sprintf("%q", d.Output.Name))
	line("pooling", d.Output.Pooling)
	if d.Output.Pooling == PoolMeanPatches {
		line("prefix_tokens", d.Output.PrefixTokens)
	}
	line("normalise", d.Normalise)
	line("numeric_class", d.NumericClass)
	sum := sha256.Sum256([]byte(b.String()))
	return palate.ModelID(hex.EncodeToString(sum[:]))
}

// Identify gives d with the fingerprint of the function whose weights have
// that hash as its Identity.
func (d Description) Identify(weights [sha256.Size]byte) Description {
	d.Identity, d.function = Fingerprint(weights, d), weights
	return d
}

// By gives d by other rules, with the Identity that Identify would have set
// had d had them.
func (d Description) By(rules picture.Rules) Description {
	if d.Rules = rules; d.Identity != "" {
		return d.Identify(d.function)
	}
	return d
}
