package museum

import "math"

// paintBlots: a few thrown blots with lobes and rays, drips that run down
// from them, and drops of all sizes around.
func paintBlots(c *canvas, p palette, s source) {
	c.fill(p.ground)
	for range s.count(4, 7) {
		col := pick(s, append(p.accents[:3:3], p.ink))
		cx, cy := c.w*s.between(.12, .88), c.h*s.between(.12, .8)
		r := c.size * s.between(.06, .16)
		radius := make([]float64, 128)
		rough, rays := newNoise(s), newNoise(s)
		for i := range radius {
			// A closed walk through the noise: the outline has no seam.
			a := 2 * math.Pi * float64(i) / float64(len(radius))
			x, y := 3+2.2*math.Cos(a), 3+2.2*math.Sin(a)
			ray := max(rays.at(4*x, 4*y)-.45, 0)
			radius[i] = r * (1 + .35*rough.fractal(x, y, 3) + 2.2*ray)
		}
		c.blob(cx, cy, radius, col, .95)
		for range s.count(1, 4) {
			x, width := cx+r*s.between(-.7, .7), c.size*s.between(.006, .014)
			end := cy + r*s.between(1.2, 3.5)
			c.line(point{x, cy}, point{x, end}, width, col, .95)
			c.disc(x, end, width*.9, col, .95)
		}
		for range s.count(50, 110) {
			a := s.between(0, 2*math.Pi)
			far := r * (1 + 1.6*math.Abs(s.NormFloat64()))
			drop := c.size * .004 * math.Exp(.7*s.NormFloat64())
			c.disc(cx+far*math.Cos(a), cy+far*math.Sin(a), max(drop, .8), col, .95)
		}
	}
}

// ridge is the height of a chain of hills, -1 to 1, along x.
func ridge(n *noise, x, seed float64, octaves int) float64 {
	return n.fractal(x, seed*13.7, octaves) * 1.4
}

// paintLandscape: a sky that changes downwards with a sun and level clouds,
// chains of hills one before the other, and a meadow or water in front.
func paintLandscape(c *canvas, p palette, s source) {
	n := newNoise(s)
	horizon := c.h * s.between(.36, .55)
	top, low := p.accents[0], mix(p.ground, p.accents[1], .4)
	cloud := s.between(.15, .5)
	front := c.h * s.between(.68, .82)
	c.paint(func(x, y float64) colour {
		if y > front { // is painted over
			return low
		}
		t := min(y/horizon, 1)
		col := mix(top, low, t*t*(3-2*t))
		wisp := smooth(.12, .4, n.fractal(x/c.size*3, y/c.size*14, 3))
		return mix(col, p.ground.lighter(25), wisp*cloud)
	})
	if s.chance(.8) {
		r := c.size * s.between(.035, .08)
		x, y := c.w*s.between(.15, .85), horizon*s.between(.25, .85)
		c.disc(x, y, r*1.5, low.lighter(40), .35)
		c.disc(x, y, r, p.accents[2].lighter(45), 1)
	}
	chains := s.count(3, 5)
	far, near := mix(low, p.accents[3], .45), mix(p.accents[3], p.ink, .45)
	for i := range chains {
		t := float64(i+1) / float64(chains)
		base := horizon + (front-horizon)*(t-1/float64(chains))
		height, stretch := c.h*s.between(.05, .13)*(1-.4*t), s.between(2.5, 4.5)/c.size
		col := mix(far, near, t)
		b, shade := bytesOf(col), bytesOf(col.lighter(14))
		for x := range int(c.w) {
			skyline := base - height*ridge(n, float64(x)*stretch, float64(i+1), 5)
			for y := max(int(skyline), 0); y < int(front)+2; y++ {
				cover, tone := float64(y+1)-skyline, &b
				if n.at(float64(x)/c.size*18+7*t, (float64(y)-skyline)/c.size*30) > .25 {
					tone = &shade
				}
				at := c.img.PixOffset(x, y)
				blend(c.img.Pix[at:at+4], tone, min(cover, 1))
			}
		}
	}
	if s.chance(.4) {
		paintWater(c, low, near, front, s)
		return
	}
	paintMeadow(c, mix(near, p.accents[4], .6), front, s)
}

// paintWater: level glints that grow towards the viewer.
func paintWater(c *canvas, sky, deep colour, front float64, s source) {
	c.rect(-2, front, c.w+2, c.h+2, mix(deep, sky, .55), 1)
	for range int(c.w * (c.h - front) / (c.size * c.size) * 1500) {
		t := s.Float64()
		y := front + (c.h-front)*t
		length := c.size * (.01 + .05*t) * s.between(.5, 1.5)
		x := c.w * s.Float64()
		col := sky.lighter(25)
		if s.chance(.4) {
			col = deep
		}
		c.line(point{x - length/2, y}, point{x + length/2, y}, 1+c.size*.004*t, col, .7)
	}
}

// paintMeadow: upright blades that grow towards the viewer.
func paintMeadow(c *canvas, grass colour, front float64, s source) {
	c.rect(-2, front, c.w+2, c.h+2, grass.lighter(-15), 1)
	blades := int(c.w * (c.h - front) / (c.size * c.size) * 4500)
	for i := range blades {
		t := float64(i) / float64(blades)
		x, y := c.w*s.Float64(), front+(c.h-front)*t+c.size*.02
		height := c.size * (.015 + .04*t) * s.between(.7, 1.3)
		lean := height * s.between(-.25, .25)
		c.line(point{x, y}, point{x + lean, y - height}, 1.2+c.size*.002*t, grass.lighter(s.between(-35, 40)), .9)
	}
}
