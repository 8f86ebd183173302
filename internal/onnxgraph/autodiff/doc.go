// Package autodiff writes ONNX graphs whose shapes are all known and adds to
// them the gradients of a value by reverse-mode differentiation (Baydin et
// al., Automatic differentiation in machine learning: a survey, JMLR 18, 2018).
//
// A Tape records operators of ai.onnx as they are written, with the shapes of
// their results. Gradients goes back over the record and adds, for every
// operator that a wanted gradient passes through, the product of the gradient
// of its results with its Jacobian, in the same operators: what comes out is
// an ordinary ONNX model that any runtime runs. Operators that no wanted
// gradient passes through add nothing, so that frozen parameters are free.
//
// Opset 20 is written: above it some of ONNX Runtime's CUDA kernels are not
// found. Shapes that do not fit, and operators of other tapes' values, are
// programmer's mistakes and panic.
package autodiff
