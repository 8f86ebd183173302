package picture

// fullRangeRow converts YCbCr as JFIF means it (ITU-T T.871) with libjpeg's
// sixteen fractional bits. The slices y, cb and cr are as long as the row is
// wide.
func fullRangeRow(row, y, cb, cr []byte) {
	cb, cr = cb[:len(y)], cr[:len(y)]
	for i, luma := range y {
		out := row[3*i : 3*i+3 : 3*i+3]
		out[0], out[1], out[2] = fullRange(int32(luma), int32(cb[i])-128, int32(cr[i])-128)
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

func fullRange(y, cb, cr int32) (r, g, b byte) {
	const rounding = 1 << 15
	return clamp(y + (91881*cr+rounding)>>16), // 1.402
		clamp(y + (-22554*cb-46802*cr+rounding)>>16), // 0.344136, 0.714136
		clamp(y + (116130*cb+rounding)>>16) // 1.772
}

func clamp(v int32) byte {
	if uint32(v) > 255 {
		return byte(^(v >> 31))
	}
	return byte(v)
}
