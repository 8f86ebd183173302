package picture

// The parts of a colour that come from Cb and Cr, as JFIF means them (ITU-T
// T.871), with libjpeg's sixteen fractional bits: those of red and blue are
// rounded, those of green are to be added first.
var redOfCr, blueOfCb, greenOfCr, greenOfCb = func() (r, b, gr, gb [256]int32) {
	const rounding = 1 << 15
	for i := range 256 {
		v := int32(i) - 128
		r[i] = (91881*v + rounding) >> 16  // 1.402
		b[i] = (116130*v + rounding) >> 16 // 1.772
		gr[i] = -46802*v + rounding        // 0.714136
		gb[i] = -22554 * v                 // 0.344136
	}
	return r, b, gr, gb
}()

// clamped holds 0 … 255 what is up to 256 below and 511 above.
var clamped = func() (table [1024]byte) {
	for i := range table {
		table[i] = clamp(int32(i) - 256)
	}
	return table
}()

// fullRangeRow converts a row. The slices y, cb and cr are as long as the row
// is wide.
func fullRangeRow(row, y, cb, cr []byte) {
	cb, cr = cb[:len(y)], cr[:len(y)]
	for i, luma := range y {
		v, b, r := int32(luma)+256, cb[i], cr[i]
		out := row[3*i : 3*i+3 : 3*i+3]
		out[0] = clamped[uint32(v+redOfCr[r])&1023]
		out[1] = clamped[uint32(v+(greenOfCr[r]+greenOfCb[b])>>16)&1023]
		out[2] = clamped[uint32(v+blueOfCb[b])&1023]
	}
}

// inverseFullRangeRow is fullRangeRow with inverted results: the CMY of a
// YCCK file.
func inverseFullRangeRow(row, y, cb, cr []byte) {
	fullRangeRow(row, y, cb, cr)
	for i := range row {
		row[i] = 255 - row[i]
	}
}

// interleaveRow takes the planes as colours already.
func interleaveRow(row, first, second, third []byte) {
	second, third = second[:len(first)], third[:len(first)]
	for i, v := range first {
		out := row[3*i : 3*i+3 : 3*i+3]
		out[0], out[1], out[2] = v, second[i], third[i]
	}
}

func clamp(v int32) byte {
	if uint32(v) > 255 {
		return byte(^(v >> 31))
	}
	return byte(v)
}
