package picture

import (
	"math"

	"github.com/palate-art/palate/internal/picture/heif"
)

// planeRows makes rows of colours of planes of brightness and colour
// difference. Chroma is interpolated as that of JPEG is.
type planeRows struct {
	y, cb, cr *upsampler
	matrix    *matrix // nil for JFIF's
	width     int
}

func newPlaneRows(p heif.Pixels, c heif.Colour) *planeRows {
	r := &planeRows{width: p.Width}
	luma := p.Stride * p.Height
	r.y = newUpsampler(plane{p.Pix[:luma], p.Stride, p.Width, p.Height, 0}, 1, 1)
	h, v := 1, 1
	switch p.Layout {
	case heif.Planes420:
		h, v = 2, 2
	case heif.Planes422:
		h = 2
	}
	if p.Layout != heif.Grey {
		w, height := ceilDiv(p.Width, h), ceilDiv(p.Height, v)
		size := p.ChromaStride * height
		r.cb = newUpsampler(plane{p.Pix[luma:][:size], p.ChromaStride, w, height, 0}, h, v)
		r.cr = newUpsampler(plane{p.Pix[luma+size:][:size], p.ChromaStride, w, height, 0}, h, v)
	}
	if !c.FullRange || c.Matrix != 2 && c.Matrix != 5 && c.Matrix != 6 {
		r.matrix = newMatrix(c)
	}
	return r
}

// row writes row y.
func (r *planeRows) row(rgb []byte, y int) {
	luma := r.y.row(y, r.width)
	switch {
	case r.cb == nil && r.matrix == nil:
		greyRow(rgb, luma, 1)
	case r.cb == nil:
		for x, v := range luma {
			g := clamp(r.matrix.luma[v] >> matrixBits)
			rgb[3*x], rgb[3*x+1], rgb[3*x+2] = g, g, g
		}
	case r.matrix == nil:
		fullRangeRow(rgb, luma, r.cb.row(y, r.width), r.cr.row(y, r.width))
	default:
		r.matrix.row(rgb, luma, r.cb.row(y, r.width), r.cr.row(y, r.width))
	}
}

const matrixBits = 16

// matrix is what each number adds to a colour, in 2⁻¹⁶.
type matrix struct {
	luma     [256]int32 // with one half for rounding
	fromCb   [3][256]int32
	fromCr   [3][256]int32
	identity bool
}

// newMatrix is that of ITU-T H.273, 8.3.
func newMatrix(c heif.Colour) *matrix {
	m := &matrix{identity: c.Matrix == 0}
	lumaScale, lumaZero, chromaScale := 1.0, 0.0, 1.0
	if !c.FullRange {
		lumaScale, lumaZero, chromaScale = 255.0/219, 16, 255.0/224
	}
	kr, kb := lumaWeights(c)
	kg := 1 - kr - kb
	cb := [3]float64{0, -2 * kb * (1 - kb) / kg, 2 * (1 - kb)}
	cr := [3]float64{2 * (1 - kr), -2 * kr * (1 - kr) / kg, 0}
	if c.Matrix == 8 { // YCgCo
		cb, cr = [3]float64{-1, 1, -1}, [3]float64{1, 0, -1}
	}
	for i := range 256 {
		const one = 1 << matrixBits
		m.luma[i] = int32(math.Round((float64(i)-lumaZero)*lumaScale*one)) + one/2
		for k := range 3 {
			m.fromCb[k][i] = int32(math.Round((float64(i) - 128) * chromaScale * cb[k] * one))
			m.fromCr[k][i] = int32(math.Round((float64(i) - 128) * chromaScale * cr[k] * one))
		}
	}
	return m
}

func (m *matrix) row(rgb, luma, cb, cr []byte) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, y := range luma {
		out := rgb[3*x : 3*x+3 : 3*x+3]
		if m.identity { // green, blue, red
			out[0], out[1], out[2] = clamp(m.luma[cr[x]]>>matrixBits), clamp(m.luma[y]>>matrixBits), clamp(m.luma[cb[x]]>>matrixBits)
			continue
		}
		v, b, r := m.luma[y], cb[x], cr[x]
		for k := range 3 {
			out[k] = clamp((v + m.fromCb[k][b] + m.fromCr[k][r]) >> matrixBits)
		}
	}
}

// lumaWeights are what red and blue have of the brightness. What is unspecified
// is BT.601.
func lumaWeights(c heif.Colour) (kr, kb float64) {
	switch c.Matrix {
	case 1:
		return .2126, .0722
	case 4:
		return .30, .11
	case 7:
		return .212, .087
	case 9, 10:
		return .2627, .0593
	}
	return .299, .114
}
