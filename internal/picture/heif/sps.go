package heif

import "fmt"

// configuration reads the sequence parameter set in an hvcC box (ISO/IEC
// 14496-15, 8.3.3.1): the size, which must be the one that the container says,
// and how numbers become colours where the container does not say.
func (f *File) configuration(body []byte, single, coloured bool) error {
	p := &fields{data: body}
	p.uint(22)
	for arrays := p.uint(1); arrays > 0 && !p.bad; arrays-- {
		kind := p.uint(1) & 63
		for units := p.uint(2); units > 0 && !p.bad; units-- {
			unit := []byte(p.text(int(p.uint(2))))
			const sequenceParameterSet = 33
			if kind != sequenceParameterSet || len(unit) < 4 {
				continue
			}
			s := readSPS(withoutEmulation(unit[2:]))
			if single && s.sized && (s.width < f.Width || s.height < f.Height) {
				return fmt.Errorf("it says to be %d×%d, and its pixels %d×%d", f.Width, f.Height, s.width, s.height)
			}
			if !coloured {
				f.Colour = s.colour
			}
			return nil
		}
	}
	return nil
}

// withoutEmulation drops the bytes that keep start codes out of a NAL unit.
func withoutEmulation(unit []byte) []byte {
	out := make([]byte, 0, len(unit))
	zeros := 0
	for _, b := range unit {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if zeros++; b != 0 {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

// bits reads a bit at a time; beyond the end it notes that and gives 0.
type bits struct {
	data []byte
	at   int
	bad  bool
}

func (b *bits) u(n int) (v uint32) {
	for range n {
		if b.at >= 8*len(b.data) {
			b.bad = true
			return 0
		}
		v = v<<1 | uint32(b.data[b.at/8]>>(7-b.at%8)&1)
		b.at++
	}
	return v
}

func (b *bits) flag() bool { return b.u(1) == 1 }

// ue is an unsigned Exp-Golomb number.
func (b *bits) ue() uint32 {
	zeros := 0
	for !b.bad && b.u(1) == 0 {
		if zeros++; zeros > 31 {
			b.bad = true
		}
	}
	if b.bad {
		return 0
	}
	return 1<<zeros - 1 + b.u(zeros)
}

type sps struct {
	sized         bool // width and height were read
	width, height int
	colour        Colour
}

// readSPS reads as far as the video usability information (ITU-T H.265,
// 7.3.2.2). What can't be read is unspecified.
func readSPS(data []byte) sps {
	b := &bits{data: data}
	s := sps{colour: Colour{2, 2, 2, false}}
	b.u(4)
	layers := int(b.u(3))
	b.u(1)
	skipProfile(b, layers)
	b.ue()
	chroma := b.ue()
	if chroma == 3 {
		b.u(1)
	}
	s.width, s.height = int(b.ue()), int(b.ue())
	if b.flag() {
		h, v := 1, 1
		if chroma == 1 || chroma == 2 {
			h = 2
		}
		if chroma == 1 {
			v = 2
		}
		s.width -= h * int(b.ue()+b.ue())
		s.height -= v * int(b.ue()+b.ue())
	}
	s.sized = !b.bad
	b.ue()
	b.ue()
	order := int(b.ue()) + 4
	first := layers
	if b.flag() {
		first = 0
	}
	for i := first; i <= layers; i++ {
		b.ue()
		b.ue()
		b.ue()
	}
	for range 6 {
		b.ue()
	}
	if scaled := b.flag(); scaled && b.flag() {
		skipScalingLists(b)
	}
	b.u(2)
	if b.flag() { // PCM
		b.u(8)
		b.ue()
		b.ue()
		b.u(1)
	}
	if !skipPictureSets(b) {
		return s
	}
	if b.flag() { // long-term pictures
		for n := b.ue(); n > 0 && !b.bad; n-- {
			b.u(order + 1)
		}
	}
	b.u(2)
	if b.flag() {
		c := readUsability(b)
		if !b.bad {
			s.colour = c
		}
	}
	return s
}

func skipProfile(b *bits, layers int) {
	b.at += 88 + 8
	var profile, level [8]bool
	for i := range layers {
		profile[i], level[i] = b.flag(), b.flag()
	}
	if layers > 0 {
		b.u(2 * (8 - layers))
	}
	for i := range layers {
		if profile[i] {
			b.at += 88
		}
		if level[i] {
			b.at += 8
		}
	}
}

func skipScalingLists(b *bits) {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6; matrix += step {
			if !b.flag() {
				b.ue()
				continue
			}
			if size > 1 {
				b.ue()
			}
			for range min(64, 1<<(4+2*size)) {
				b.ue()
			}
		}
	}
}

// skipPictureSets passes by the short-term reference picture sets. It reports
// false for sets that are predicted from others, which still pictures lack.
func skipPictureSets(b *bits) bool {
	sets := b.ue()
	for i := uint32(0); i < sets && !b.bad; i++ {
		if i > 0 && b.flag() {
			return false
		}
		for n := uint64(b.ue()) + uint64(b.ue()); n > 0 && !b.bad; n-- {
			b.ue()
			b.u(1)
		}
	}
	return !b.bad
}

func readUsability(b *bits) Colour {
	c := Colour{2, 2, 2, false}
	if b.flag() && b.u(8) == 255 { // the pixels' shape
		b.u(32)
	}
	if b.flag() { // overscan
		b.u(1)
	}
	if b.flag() {
		b.u(3)
		c.FullRange = b.flag()
		if b.flag() {
			c.Primaries, c.Transfer, c.Matrix = int(b.u(8)), int(b.u(8)), int(b.u(8))
		}
	}
	return c
}
