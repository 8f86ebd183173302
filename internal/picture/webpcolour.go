package picture

import "image"

// limitedRange converts a VP8 frame as libwebp does: luma from 16 to 235,
// chroma from 16 to 240 (ITU-R BT.601), chroma interpolated with the triangle
// filter in libwebp's rounding.
func limitedRange(m *image.YCbCr) *RGB {
	out := NewRGB(m.Rect.Dx(), m.Rect.Dy())
	width, height := (out.Width+1)/2, (out.Height+1)/2
	u := make([]byte, out.Width+1)
	v := make([]byte, out.Width+1)
	line := func(pix []byte, y int) []byte {
		y = min(max(y, 0), height-1)
		return pix[y*m.CStride:][:width]
	}
	for y := range out.Height {
		near, far := y/2, y/2-1
		if y%2 == 1 {
			far = y/2 + 1
		}
		webpUpsample(u, line(m.Cb, near), line(m.Cb, far))
		webpUpsample(v, line(m.Cr, near), line(m.Cr, far))
		limitedRangeRow(out.Row(y), m.Y[y*m.YStride:][:out.Width], u, v)
	}
	return out
}

// webpUpsample gives one row out of the two stored rows around it. Weights
// are 9, 3, 3 and 1 sixteenths; libwebp adds them in two steps, each rounded
// (upsampling.c), so the result differs from libjpeg's by up to one.
func webpUpsample(out, near, far []byte) {
	edge := func(x int) byte { return byte((3*int(near[x]) + int(far[x]) + 2) >> 2) }
	out[0] = edge(0)
	last := len(near) - 1
	for x := range last {
		a, b := int(near[x]), int(near[x+1])
		c, d := int(far[x]), int(far[x+1])
		all := a + b + c + d + 8
		out[2*x+1] = byte(((all+2*(b+c))>>3 + a) >> 1)
		out[2*x+2] = byte(((all+2*(a+d))>>3 + b) >> 1)
	}
	if len(out) > 2*last+1 {
		out[2*last+1] = edge(last)
	}
}

func limitedRangeRow(row, y, u, v []byte) {
	u, v = u[:len(y)], v[:len(y)]
	for i, luma := range y {
		out := row[3*i : 3*i+3 : 3*i+3]
		out[0], out[1], out[2] = limitedToRGB(int32(luma), int32(u[i]), int32(v[i]))
	}
}

// limitedToRGB has libwebp's precision (yuv.h): products keep six fractional
// bits, each cut off before the sum.
func limitedToRGB(y, u, v int32) (r, g, b byte) {
	luma := 19077 * y >> 8
	return clamp((luma + 26149*v>>8 - 14234) >> 6),
		clamp((luma - 6419*u>>8 - 13320*v>>8 + 8708) >> 6),
		clamp((luma + 33050*u>>8 - 17685) >> 6)
}
