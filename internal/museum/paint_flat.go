package museum

import "math"

// paintColourFields: two to four large soft-edged fields, one above the
// other (at times side by side), on a ground; nothing else has an edge.
func paintColourFields(c *canvas, p palette, s source) {
	n := newNoise(s)
	across := s.chance(.25)
	long, wide := c.h, c.w
	if across {
		long, wide = wide, long
	}
	margin := c.size * s.between(.04, .1)
	type field struct {
		from, to float64
		col      colour
	}
	var fields []field
	count := s.count(2, 4)
	shares := make([]float64, count)
	var sum float64
	for i := range shares {
		shares[i] = s.between(.5, 1.6)
		sum += shares[i]
	}
	at := margin
	for i, share := range shares {
		to := at + (long-2*margin)*share/sum
		fields = append(fields, field{at, to - margin*.45, p.accents[i%len(p.accents)]})
		at = to
	}
	soft := c.size * s.between(.015, .05)
	cloud, cloudScale := s.between(8, 20), c.size*s.between(.12, .3)
	c.paint(func(x, y float64) colour {
		u, v := y, x
		if across {
			u, v = x, y
		}
		var wobble float64
		col := p.ground
		side := min(v-margin, wide-margin-v)
		for _, f := range fields {
			end := min(u-f.from, f.to-u)
			if min(end, side) < -1.5*soft {
				continue
			}
			if min(end, side) < 1.5*soft { // the edge wavers
				wobble = n.at(v/c.size*7, u/c.size*7) * soft * .5
			}
			inside := smooth(-soft, soft, end+wobble) * smooth(-soft, soft, side+wobble)
			if inside > 0 {
				col = mix(col, f.col, inside*.95)
			}
		}
		return col.lighter(cloud * n.fractal(x/cloudScale, y/cloudScale, 2))
	})
}

// paintGrid: straight lines of one width from edge to edge, upright and
// level; most cells keep the ground, some take a colour.
func paintGrid(c *canvas, p palette, s source) {
	c.fill(p.ground)
	cuts := func(length float64, n int) []float64 {
		at := []float64{0}
		for i := 1; i <= n; i++ {
			at = append(at, length*(float64(i)+s.between(-.32, .32))/float64(n+1))
		}
		return append(at, length)
	}
	xs, ys := cuts(c.w, s.count(3, 6)), cuts(c.h, s.count(3, 6))
	filled := s.between(.3, .6)
	for i := range len(xs) - 1 {
		for j := range len(ys) - 1 {
			if !s.chance(filled) {
				continue
			}
			right, below := i+1, j+1
			if s.chance(.2) && right < len(xs)-1 {
				right++
			}
			c.rect(xs[i], ys[j], xs[right], ys[below], pick(s, p.accents), 1)
		}
	}
	width := c.size * s.between(.014, .03)
	for _, x := range xs[1 : len(xs)-1] {
		c.rect(x-width/2, -2, x+width/2, c.h+2, p.ink, 1)
	}
	for _, y := range ys[1 : len(ys)-1] {
		c.rect(-2, y-width/2, c.w+2, y+width/2, p.ink, 1)
	}
}

// paintSuprematism: a big tilted quadrangle, bars along one leaning
// direction and a few against it, a disc, a triangle, on an empty ground.
func paintSuprematism(c *canvas, p palette, s source) {
	c.fill(p.ground)
	lean := s.between(.35, .85)
	if s.chance(.25) {
		lean = -lean
	}
	place := func() (float64, float64) {
		return c.w * s.between(.18, .82), c.h * s.between(.15, .85)
	}
	x, y := c.w*s.between(.35, .65), c.h*s.between(.35, .65)
	c.bar(x, y, c.size*s.between(.4, .6), c.size*s.between(.22, .4), lean, p.accents[0], 1)
	if s.chance(.7) {
		x, y := place()
		c.disc(x, y, c.size*s.between(.06, .15), p.accents[1], 1)
	}
	if s.chance(.6) {
		x, y := place()
		r, turn := c.size*s.between(.1, .2), s.between(0, 2*math.Pi)
		var corners []point
		for i := range 3 {
			a := turn + 2*math.Pi*float64(i)/3
			corners = append(corners, point{x + r*math.Cos(a), y + r*math.Sin(a)})
		}
		c.polygon(corners, p.accents[2], 1)
	}
	for range s.count(7, 14) {
		x, y := place()
		angle := lean + s.between(-.06, .06)
		if s.chance(.25) {
			angle += math.Pi / 2
		}
		col := pick(s, p.accents)
		if s.chance(.3) {
			col = p.ink
		}
		c.bar(x, y, c.size*s.between(.12, .5), c.size*s.between(.012, .06), angle, col, 1)
	}
	for range s.count(1, 4) {
		x, y := place()
		c.bar(x, y, c.size*s.between(.5, .9), c.size*.006, lean+s.between(-.4, .4), p.ink, 1)
	}
}

// paintCircles: a chequer of cells, each with rings about its middle.
func paintCircles(c *canvas, p palette, s source) {
	c.fill(p.ground)
	short := s.count(2, 4)
	cell := min(c.w, c.h) / float64(short)
	columns, rows := max(int(c.w/cell+.5), 1), max(int(c.h/cell+.5), 1)
	cw, ch := c.w/float64(columns), c.h/float64(rows)
	colours := append(p.all(), p.ink)
	for i := range columns {
		for j := range rows {
			cx, cy := (float64(i)+.5)*cw, (float64(j)+.5)*ch
			col := pick(s, colours)
			c.rect(cx-cw/2, cy-ch/2, cx+cw/2, cy+ch/2, col, 1)
			cx, cy = cx+cw*s.between(-.05, .05), cy+ch*s.between(-.05, .05)
			rings := s.count(4, 7)
			for k := rings; k > 0; k-- {
				next := pick(s, colours)
				for next == col {
					next = pick(s, colours)
				}
				col = next
				r := min(cw, ch) * .49 * (float64(k) + s.between(-.25, .2)) / float64(rings)
				c.disc(cx, cy, r, col, .97)
			}
		}
	}
}
