package picture

// block is the 64 coefficients of a JPEG block, row by row, as numbers times
// their quantisers.
type block [64]int32

// The constants of the transforms below, with fractionBits fractional bits.
// The eight-point one is of C. Loeffler, A. Ligtenberg and G. Moschytz,
// "Practical fast 1-D DCT algorithms with 11 multiplications" (ICASSP 1989);
// number formats and rounding are those of libjpeg's jidctint.c, so that the
// samples are the same.
const (
	fractionBits = 13
	keptBits     = 2 // fractional bits that stay between the passes

	c0_298 = 2446
	c0_390 = 3196
	c0_541 = 4433
	c0_765 = 6270
	c0_899 = 7373
	c1_175 = 9633
	c1_306 = 10703
	c1_501 = 12299
	c1_847 = 15137
	c1_961 = 16069
	c2_053 = 16819
	c2_562 = 20995
	c3_072 = 25172
)

// sampleOf brings a number around zero to a sample: plus 128, held to 0 … 255.
// What is far outside wraps around, as in libjpeg.
var sampleOf = func() (table [1024]byte) {
	for i := range table {
		v := i + 128
		if i >= 512 {
			v -= 1024
		}
		table[i] = byte(min(max(v, 0), 255))
	}
	return table
}()

func sample(v int32, shift int) byte { return sampleOf[uint32(v>>shift)&1023] }

// eight transforms eight coefficients to eight samples, times 2^fractionBits.
func eight(c0, c1, c2, c3, c4, c5, c6, c7 int32) (s0, s1, s2, s3, s4, s5, s6, s7 int32) {
	z := (c2 + c6) * c0_541
	e2, e3 := z-c6*c1_847, z+c2*c0_765
	e0, e1 := (c0+c4)<<fractionBits, (c0-c4)<<fractionBits
	a0, a3, a1, a2 := e0+e3, e0-e3, e1+e2, e1-e2

	z5 := (c7 + c3 + c5 + c1) * c1_175
	z1, z2 := -(c7+c1)*c0_899, -(c5+c3)*c2_562
	z3, z4 := z5-(c7+c3)*c1_961, z5-(c5+c1)*c0_390
	b0, b1 := c7*c0_298+z1+z3, c5*c2_053+z2+z4
	b2, b3 := c3*c3_072+z2+z3, c1*c1_501+z1+z4
	return a0 + b3, a1 + b2, a2 + b1, a3 + b0, a3 - b0, a2 - b1, a1 - b2, a0 - b3
}

// four is the same for a block of half the size, from its lower frequencies.
func four(c0, c1, c2, c3 int32) (s0, s1, s2, s3 int32) {
	e0, e1 := (c0+c2)<<fractionBits, (c0-c2)<<fractionBits
	o0, o1 := c1*c1_306+c3*c0_541, c1*c0_541-c3*c1_306
	return e0 + o0, e1 + o1, e1 - o1, e0 - o0
}

// transform8 writes a block's 8 × 8 samples. columns has a bit for each
// column that holds anything below its first row.
func (b *block) transform8(out []byte, stride int, columns uint32) {
	const shift, round = fractionBits - keptBits, 1 << (fractionBits - keptBits - 1)
	for i := range 8 {
		c := (*[57]int32)(b[i:])
		if columns>>i&1 == 0 {
			dc := c[0] << keptBits
			c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56] = dc, dc, dc, dc, dc, dc, dc, dc
			continue
		}
		s0, s1, s2, s3, s4, s5, s6, s7 := eight(c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56])
		c[0], c[8], c[16], c[24] = (s0+round)>>shift, (s1+round)>>shift, (s2+round)>>shift, (s3+round)>>shift
		c[32], c[40], c[48], c[56] = (s4+round)>>shift, (s5+round)>>shift, (s6+round)>>shift, (s7+round)>>shift
	}
	const lastShift = fractionBits + keptBits + 3
	for i := range 8 {
		c, o := (*[8]int32)(b[8*i:]), (*[8]byte)(out[i*stride:])
		s0, s1, s2, s3, s4, s5, s6, s7 := eight(c[0]+1<<(keptBits+2), c[1], c[2], c[3], c[4], c[5], c[6], c[7])
		o[0], o[1], o[2], o[3] = sample(s0, lastShift), sample(s1, lastShift), sample(s2, lastShift), sample(s3, lastShift)
		o[4], o[5], o[6], o[7] = sample(s4, lastShift), sample(s5, lastShift), sample(s6, lastShift), sample(s7, lastShift)
	}
}

// transform4 writes 4 × 4 samples, the block at half its size.
func (b *block) transform4(out []byte, stride int) {
	const shift, round = fractionBits - keptBits, 1 << (fractionBits - keptBits - 1)
	for i := range 4 {
		c := (*[25]int32)(b[i:])
		s0, s1, s2, s3 := four(c[0], c[8], c[16], c[24])
		c[0], c[8], c[16], c[24] = (s0+round)>>shift, (s1+round)>>shift, (s2+round)>>shift, (s3+round)>>shift
	}
	const lastShift = fractionBits + keptBits + 3
	for i := range 4 {
		c, o := (*[4]int32)(b[8*i:]), (*[4]byte)(out[i*stride:])
		s0, s1, s2, s3 := four(c[0]+1<<(keptBits+2), c[1], c[2], c[3])
		o[0], o[1], o[2], o[3] = sample(s0, lastShift), sample(s1, lastShift), sample(s2, lastShift), sample(s3, lastShift)
	}
}

// transform2 writes 2 × 2 samples, the block at a quarter of its size.
func (b *block) transform2(out []byte, stride int) {
	even, odd := b[0]+b[8]+4, b[0]-b[8]+4
	evenX, oddX := b[1]+b[9], b[1]-b[9]
	out[0], out[1] = sample(even+evenX, 3), sample(even-evenX, 3)
	out[stride], out[stride+1] = sample(odd+oddX, 3), sample(odd-oddX, 3)
}

// transform writes size × size samples: 8, or a block scaled to 4, 2 or 1.
func (b *block) transform(out []byte, stride, size int, columns uint32) {
	switch size {
	case 8:
		b.transform8(out, stride, columns)
	case 4:
		b.transform4(out, stride)
	case 2:
		b.transform2(out, stride)
	default:
		out[0] = sample(b[0]+4, 3)
	}
}

// flat writes the samples of a block that has nothing but its mean.
func flat(dc int32, out []byte, stride, size int) {
	v := sample(dc+4, 3)
	for y := range size {
		row := out[y*stride:][:size]
		for x := range row {
			row[x] = v
		}
	}
}

// transform writes the samples of a block whose numbers have come, with the
// arithmetic of libjpeg-turbo's vector instructions: what does not fit 16 bits
// wraps in the sums and is held at the ends between the passes. Of an intact
// file that is the same as block.transform8.
func (p *partBlock) transform(quant *[64]int32, out []byte, stride int) {
	var b block
	for k := 0; k <= int(p.last); k++ {
		b[zigzag[k&63]&63] = int32(int16(int32(p.numbers[k&63]) * quant[k&63]))
	}
	const shift, round = fractionBits - keptBits, 1 << (fractionBits - keptBits - 1)
	for i := range 8 {
		c := (*[57]int32)(b[i:])
		s0, s1, s2, s3, s4, s5, s6, s7 := eightWrapped(c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56])
		c[0], c[8], c[16], c[24] = held16((s0+round)>>shift), held16((s1+round)>>shift), held16((s2+round)>>shift), held16((s3+round)>>shift)
		c[32], c[40], c[48], c[56] = held16((s4+round)>>shift), held16((s5+round)>>shift), held16((s6+round)>>shift), held16((s7+round)>>shift)
	}
	const lastShift = fractionBits + keptBits + 3
	for i := range 8 {
		c, o := (*[8]int32)(b[8*i:]), out[i*stride:][:8]
		s0, s1, s2, s3, s4, s5, s6, s7 := eightWrapped(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7])
		for x, s := range [8]int32{s0, s1, s2, s3, s4, s5, s6, s7} {
			o[x] = clamp((s+1<<(lastShift-1))>>lastShift + 128)
		}
	}
}

// eightWrapped is eight with sums of inputs of 16 bits.
func eightWrapped(c0, c1, c2, c3, c4, c5, c6, c7 int32) (s0, s1, s2, s3, s4, s5, s6, s7 int32) {
	z := (c2 + c6) * c0_541
	e2, e3 := z-c6*c1_847, z+c2*c0_765
	e0, e1 := int32(int16(c0+c4))<<fractionBits, int32(int16(c0-c4))<<fractionBits
	a0, a3, a1, a2 := e0+e3, e0-e3, e1+e2, e1-e2

	w3, w4 := int32(int16(c7+c3)), int32(int16(c5+c1))
	z5 := (w3 + w4) * c1_175
	z1, z2 := -(c7+c1)*c0_899, -(c5+c3)*c2_562
	z3, z4 := z5-w3*c1_961, z5-w4*c0_390
	b0, b1 := c7*c0_298+z1+z3, c5*c2_053+z2+z4
	b2, b3 := c3*c3_072+z2+z3, c1*c1_501+z1+z4
	return a0 + b3, a1 + b2, a2 + b1, a3 + b0, a3 - b0, a2 - b1, a1 - b2, a0 - b3
}

func held16(v int32) int32 { return min(max(v, -1<<15), 1<<15-1) }
