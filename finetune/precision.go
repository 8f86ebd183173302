package finetune

import (
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/onnxgraph/autodiff"
	"github.com/palate-art/palate/internal/operators"
)

// Precision says what numbers products of matrices are computed in. All else,
// and what is kept of the parameters, is float32.
type Precision string

const (
	// Float32 lets ONNX Runtime compute them.
	Float32 Precision = "float32"
	// Bfloat16x3 computes them by tiles from 16 of the 24 digits of each number,
	// see internal/operators: gradients are the same to 1e-5 of a tensor's largest.
	Bfloat16x3 Precision = "bfloat16x3"
	// Bfloat16 keeps 8 digits of each number.
	Bfloat16 Precision = "bfloat16"
)

// BestPrecision is the fastest here that keeps gradients within 1e-4 of each
// tensor's largest.
func BestPrecision() Precision {
	if operators.Tiles() {
		return Bfloat16x3
	}
	return Float32
}

// terms are those of the products by tiles; 0 is ONNX Runtime's own.
func (p Precision) terms() operators.Terms {
	switch p {
	case Bfloat16x3:
		return operators.Bfloat16x3
	case Bfloat16:
		return operators.Bfloat16
	}
	return 0
}

// own are the operators that graphs have on a CPU beside ai.onnx's.
func (p Plan) own() autodiff.Own {
	return autodiff.Own{Terms: p.Precision.terms(), Fused: operators.There()}
}

// Available reports why products can't be computed so here: palate.ErrInvalid
// for what is no precision, palate.ErrUnavailable for what this processor has no
// instructions for.
func (p Precision) Available() error {
	switch p {
	case "", Float32:
		return nil
	case Bfloat16x3, Bfloat16:
		if operators.Tiles() {
			return nil
		}
		return fmt.Errorf("the precision %s was asked for, which takes a processor that multiplies tiles of bfloat16 (Intel's AMX, on Linux); this one does not: train in float32: %w", p, palate.ErrUnavailable)
	case "float16", "int8":
		return fmt.Errorf("the precision %s was asked for, in which gradients have no kernels on a CPU: train in float32, or in bfloat16x3 where the processor has AMX: %w", p, palate.ErrUnavailable)
	}
	return fmt.Errorf("the precision %q is none of float32, bfloat16x3, bfloat16: %w", p, palate.ErrInvalid)
}
