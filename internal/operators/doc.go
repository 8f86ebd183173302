// Package operators gives ONNX Runtime operators on its CPU that it lacks: a
// product of matrices by the processor's instructions for tiles of bfloat16,
// and gradients in one way through memory that take five to ten where they are
// written in ai.onnx's operators.
//
// # Products
//
// A number of float32 has 24 binary digits, one of bfloat16 8. Each number is
// taken as the sum of two of bfloat16, x = h + l, which keep 16 digits of it,
// and of the product of two sums three terms are computed: h·h′ + h·l′ + l·h′;
// l·l′ is beyond the digits that are kept (Henry, Tang and Heinecke, Leveraging
// the bfloat16 artificial intelligence datatype for higher-precision
// computations, 2019). Sums are of float32. With one term, h·h′, a product is
// one of bfloat16.
//
// One of Intel's AMX instructions multiplies 16 × 32 by 32 × 16 numbers in 16
// cycles, where float32 takes 256 of AVX-512: three of them are, at best, five
// times as fast.
//
// # Attention
//
// The scores of all queries with all keys are the largest thing that a block
// makes: what reads and writes them takes longer than what computes them. As one
// operator they are made for some queries at a time, in a processor's cache, and
// once more on the way back, from the logarithms of their sums (Dao,
// FlashAttention-2, 2023). Products are those above; so are their terms.
//
// # Norms, Gelu, and gradients
//
// They are what internal/onnxgraph/autodiff writes in ai.onnx's operators, and
// are used in its place where a graph runs on this machine's processor. What
// is written for others, as training artifacts are, has none of them.
package operators

// Domain is that of the operators, as nodes of a graph name it.
const Domain = "palate"

// The operators. Their tensors are float32; those of a layer norm's statistics
// have one number for each row of the others.
const (
	// Product takes a, b and, optionally, bias, and gives op(a)·op(b) + bias, see
	// type Product, and, where asked for, the sums of the rows of op(a), [1, rows]:
	// where op(a) is the turned gradient of a map's results, that of its bias. It
	// has all of the attributes of int64 below, as all products.
	ProductOp = "Product"

	// ProductGeluOp takes what ProductOp takes, of matrices, and gives x·Φ(x) of
	// each number of the product and, where asked for, the product.
	ProductGeluOp = "ProductGelu"

	// ProductOntoOp takes matrices a, b, bias, a scale of the product's columns and
	// x of as many numbers as the product, and gives x + scale·(product + bias) in
	// the shape of x, as LayerScale and a residual do, and, where asked for, product
	// + bias.
	ProductOntoOp = "ProductOnto"

	// ProductGeluGradientOp takes a, b and x of the product's shape, and gives the
	// product times the slope of Gelu at x.
	ProductGeluGradientOp = "ProductGeluGradient"

	// AttentionOp takes q, k and v of [batch, tokens, heads, width], or the three
	// in one of [batch, tokens, 3, heads, width], and gives softmax(q·kᵀ/√width)·v
	// of each head, [batch, tokens, heads, width], and, where asked for, the logarithms
	// of what its softmax divides by, [batch, heads, tokens]. It has AttributeTerms.
	AttentionOp = "Attention"

	// AttentionGradientOp takes a gradient, what AttentionOp gave and what it
	// took, and gives the gradients of what it took. It has AttributeTerms.
	AttentionGradientOp = "AttentionGradient"

	// GeluOp is x·Φ(x).
	GeluOp = "Gelu"

	// GeluGradientOp takes a gradient and x, and gives that of x: of x·Φ(x).
	GeluGradientOp = "GeluGradient"

	// SoftmaxGradientOp takes a gradient and what a softmax over the last
	// dimension gave.
	SoftmaxGradientOp = "SoftmaxGradient"

	// NormOp takes x, a scale and a shift, and gives a layer norm over the last
	// dimension and, where asked for, the mean and inverse deviation of each row, as ai.onnx's
	// LayerNormalization does. It has AttributeEpsilon.
	NormOp = "Norm"

	// NormGradientOp takes a gradient, x, the scale, and the mean and inverse
	// deviation of a layer norm over the last dimension, and gives that of x.
	NormGradientOp = "NormGradient"

	// NormSumsOp takes the same, and gives those of the scale and of the shift.
	NormSumsOp = "NormSums"

	// NormGradientsOp gives all three.
	NormGradientsOp = "NormGradients"

	// ScaleGradientsOp takes a gradient, x and a scale of x's last dimension, and
	// gives those of x and of the scale, of x·scale.
	ScaleGradientsOp = "ScaleGradients"

	// MapGradientsOp takes a gradient [rows, out], a linear map's weights [out, in],
	// what it took, x [rows, in], and, optionally, what a Gelu took that gave x. It
	// gives the gradient of the last of these, that of the weights and, where asked
	// for, that of a bias, [1, out]. It has AttributeTerms. As products of their
	// own ONNX Runtime computes the gradients of all weights at the end, and keeps
	// until then what they are computed of.
	MapGradientsOp = "MapGradients"
)

// Attributes: the last is of float, all others of int64.
const (
	AttributeTurnA = "turn_a" // 1 if a is turned, else 0
	AttributeTurnB = "turn_b"
	AttributeTerms = "terms"

	AttributeEpsilon = "epsilon"
)
