package picture

// Of a progressive file that ends before its last bits have come, libjpeg
// estimates the lowest frequencies of a block from the means around it
// (jdcoefct.c, "block smoothing", after T.81, K.8), so that its steps don't
// show.

// smoothed is how many coefficients of a block are estimated or looked at for
// it, in zigzag order, the mean among them.
const smoothed = 10

// An estimate of coefficient k is the sum of the 25 means around a block, row
// by row, with these weights in 256ths. fromMeans hold where nothing but means
// has come; their first one is for the mean itself. fromMost hold where some of
// the rest is known, for the first five after the mean.
var (
	fromMeans = [smoothed][25]int{
		{-2, -6, -8, -6, -2, -6, 6, 42, 6, -6, -8, 42, 152, 42, -8, -6, 6, 42, 6, -6, -2, -6, -8, -6, -2},
		{-1, -1, 0, 1, 1, -3, 13, 0, -13, 3, -3, 38, 0, -38, 3, -3, 13, 0, -13, 3, -1, -1, 0, 1, 1},
		{-1, -3, -3, -3, -1, -1, 13, 38, 13, -1, 0, 0, 0, 0, 0, 1, -13, -38, -13, 1, 1, 3, 3, 3, 1},
		{0, 0, 1, 0, 0, 0, 2, 7, 2, 0, 0, -5, -14, -5, 0, 0, 2, 7, 2, 0, 0, 0, 1, 0, 0},
		{-1, 0, 0, 0, 1, 0, 9, 0, -9, 0, 0, 0, 0, 0, 0, 0, -9, 0, 9, 0, 1, 0, 0, 0, -1},
		{0, 0, 0, 0, 0, 0, 2, -5, 2, 0, 1, 7, -14, 7, 1, 0, 2, -5, 2, 0, 0, 0, 0, 0, 0},
		{0, 0, 0, 0, 0, 0, 1, 0, -1, 0, 0, 2, 0, -2, 0, 0, 1, 0, -1, 0, 0, 0, 0, 0, 0},
		{0, 0, 0, 0, 0, 0, 1, -3, 1, 0, 0, 0, 0, 0, 0, 0, -1, 3, -1, 0, 0, 0, 0, 0, 0},
		{0, 0, 0, 0, 0, 0, 1, 0, -1, 0, 0, -3, 0, 3, 0, 0, 1, 0, -1, 0, 0, 0, 0, 0, 0},
		{0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, -1, -2, -1, 0, 0, 0, 0, 0, 0},
	}
	fromMost = [6][25]int{
		1: {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -7, 50, 0, -50, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		{0, 0, -7, 0, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0, -50, 0, 0, 0, 0, 7, 0, 0},
		{0, 0, -1, 0, 0, 0, 0, 13, 0, 0, 0, 0, -24, 0, 0, 0, 0, 13, 0, 0, 0, 0, -1, 0, 0},
		{0, -1, 0, 1, 0, -1, 10, 0, -10, 1, 0, 0, 0, 0, 0, 1, -10, 0, 10, -1, 0, 1, 0, -1, 0},
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 13, -24, 13, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	}
)

// knownBits are how far the first coefficients of a component have come: the
// lowest bit that is known of each, -1 for nothing.
type knownBits [smoothed]int8

var nothingKnown = knownBits{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}

// noteBits notes what a scan brings.
func (c *component) noteBits(sc *anyScan, scans int) {
	for k := min(sc.first, 1); k < smoothed; k++ {
		c.bitsBefore[k] = 0
		if scans > 1 {
			c.bitsBefore[k] = c.bits[k]
		}
	}
	for k := sc.first; k <= sc.last; k++ {
		if k < smoothed {
			c.bits[k] = int8(sc.low)
		}
		if bit := uint64(1) << k; sc.low == 0 {
			c.known |= bit
		} else {
			c.known &^= bit
		}
	}
}

// maySmooth reports whether there is anything to estimate, and enough to do it
// from.
func (s *jpegDecoder) maySmooth() bool {
	if !s.file.progressive {
		return false
	}
	useful := false
	for i := range s.components {
		c := &s.components[i]
		if c.quant == nil || c.bits[0] < 0 {
			return false
		}
		for k, bits := range c.bits {
			if c.quant[k] == 0 {
				return false
			}
			useful = useful || k > 0 && bits != 0
		}
	}
	return useful
}

// estimate fills in what a block lacks: bits are how far its coefficients have
// come, means those of the 25 blocks around it.
func (p *partBlock) estimate(bits *knownBits, quant *[64]int32, means *[25]int) {
	weights, last := fromMost[:], 6
	onlyMean := true
	for _, b := range bits[1:] {
		onlyMean = onlyMean && b == -1
	}
	if onlyMean {
		weights, last = fromMeans[:], smoothed
	}
	for k := 1; k < last; k++ {
		if bits[k] == 0 || p.numbers[k] != 0 {
			continue
		}
		p.numbers[k] = estimated(&weights[k], means, int(quant[0]), int(quant[k]), int(bits[k]))
		p.last = max(p.last, int16(k))
	}
	if onlyMean {
		p.numbers[0] = estimated(&weights[0], means, int(quant[0]), int(quant[0]), -1)
	}
}

// estimated rounds an estimate to a quantiser's steps. It is no larger than
// what is not known of the coefficient.
func estimated(weights, means *[25]int, meanQuant, quant, bits int) int16 {
	sum := 0
	for i, w := range weights {
		sum += w * means[i]
	}
	sum *= meanQuant
	size := (quant<<7 + max(sum, -sum)) / (quant << 8)
	if bits > 0 && size >= 1<<bits {
		size = 1<<bits - 1
	}
	if sum < 0 {
		size = -size
	}
	return int16(size)
}

// around gives the means of the 25 blocks around one; beyond the edges the
// nearest counts.
func (c *component) around(x, y, columns, rows int) (means [25]int) {
	for dy := range 5 {
		row := c.blocks[min(max(y+dy-2, 0), rows-1)*c.blocksX:]
		for dx := range 5 {
			means[5*dy+dx] = int(row[min(max(x+dx-2, 0), columns-1)].numbers[0])
		}
	}
	return means
}
