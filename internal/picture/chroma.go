package picture

// plane is one channel as it is stored.
type plane struct {
	pix           []byte
	stride        int
	width, height int
	lines         int // that are stored in turn, 0 for all
}

// line is a row; beyond the edge the last one is repeated.
func (p plane) line(y int) []byte {
	y = min(max(y, 0), p.height-1)
	if p.lines > 0 {
		y %= p.lines
	}
	return p.pix[y*p.stride:][:p.width]
}

// upsampler gives the rows of a plane that was stored at a fraction of the
// picture's size, as libjpeg does (jdsample.c, "fancy upsampling"): halves
// are interpolated with the triangle filter, ¾ of the nearer sample and ¼ of
// the farther one along each halved side, quarters are repeated.
type upsampler struct {
	plane
	h, v int   // how many times smaller the plane is
	sums []int // one row mixed vertically, not yet divided
	out  []byte
}

func newUpsampler(p plane, h, v int) *upsampler {
	u := &upsampler{plane: p, h: h, v: v, out: make([]byte, p.width*h)}
	if h == 2 && v == 2 {
		u.sums = make([]int, p.width)
	}
	return u
}

// row gives the y-th row of the upsampled plane, width samples, good until
// the next call.
func (u *upsampler) row(y, width int) []byte {
	near := u.line(y / u.v)
	far := u.line(y/u.v - 1)
	if y%2 == 1 {
		far = u.line(y/u.v + 1)
	}
	switch {
	case u.h == 1 && u.v == 1:
		return near[:width]
	case u.h == 1 && u.v == 2:
		u.mixVertical(near, far, 1+y%2)
	case u.h == 2 && u.v == 1 && u.width > 2:
		u.mixHorizontal(near)
	case u.h == 2 && u.v == 2 && u.width > 2:
		u.mixBoth(near, far)
	default:
		u.repeat(near)
	}
	return u.out[:width]
}

// mixVertical rounds up and down in turn, so that no row is brighter.
func (u *upsampler) mixVertical(near, far []byte, bias int) {
	for x, s := range near {
		u.out[x] = byte((3*int(s) + int(far[x]) + bias) >> 2)
	}
}

func (u *upsampler) mixHorizontal(near []byte) {
	last := len(near) - 1
	out := u.out[:2*len(near)]
	out[0] = near[0]
	out[1] = byte((3*int(near[0]) + int(near[1]) + 2) >> 2)
	for x := 1; x < last; x++ {
		s := 3 * int(near[x])
		out[2*x] = byte((s + int(near[x-1]) + 1) >> 2)
		out[2*x+1] = byte((s + int(near[x+1]) + 2) >> 2)
	}
	out[2*last] = byte((3*int(near[last]) + int(near[last-1]) + 1) >> 2)
	out[2*last+1] = near[last]
}

func (u *upsampler) mixBoth(near, far []byte) {
	sums := u.sums[:len(near)]
	for x, s := range near {
		sums[x] = 3*int(s) + int(far[x])
	}
	last := len(sums) - 1
	out := u.out[:2*len(sums)]
	out[0] = byte((4*sums[0] + 8) >> 4)
	out[1] = byte((3*sums[0] + sums[1] + 7) >> 4)
	before, this := sums[0], sums[1]
	for x, after := range sums[2:] {
		pair := out[2*x+2:][:2:2]
		pair[0] = byte((3*this + before + 8) >> 4)
		pair[1] = byte((3*this + after + 7) >> 4)
		before, this = this, after
	}
	out[2*last] = byte((3*this + before + 8) >> 4)
	out[2*last+1] = byte((4*this + 7) >> 4)
}

func (u *upsampler) repeat(near []byte) {
	for x, s := range near {
		for i := range u.h {
			u.out[x*u.h+i] = s
		}
	}
}
