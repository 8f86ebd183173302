package museum

import "math"

// paintOpArt: stripes of even width bent by one or two waves.
func paintOpArt(c *canvas, p palette, s source) {
	angle := s.between(-.3, .3)
	if s.chance(.2) {
		angle += math.Pi / 2
	}
	cos, sin := math.Cos(angle), math.Sin(angle)
	period := c.size / s.between(11, 20)
	amplitude := period * s.between(.8, 2)
	bend, phase := 2*math.Pi/(c.size*s.between(.3, .7)), s.between(0, 2*math.Pi)
	swell := 2 * math.Pi / (c.size * s.between(.8, 1.6))
	// Stripes alternate between two tones of clear contrast; at times the
	// second changes along the way.
	first, second, third := p.ground, p.ink, p.ink
	if s.chance(.5) {
		second, third = p.accents[0], p.accents[1]
		if s.chance(.5) {
			first = p.ink
		}
	}
	edge := 1.2 / period * math.Pi
	c.paint(func(x, y float64) colour {
		u, v := x*cos+y*sin, y*cos-x*sin
		t := 2 * math.Pi / period * (v + amplitude*sine(bend*u+phase+.8*sine(swell*v)))
		return mix(first, mix(second, third, smooth(0, c.w, x)), smooth(-edge, edge, sine(t)))
	})
}

// paintPointillism: dots of one size beside each other all over; their
// colours follow a soft hidden scene and vary from dot to dot.
func paintPointillism(c *canvas, p palette, s source) {
	n := newNoise(s)
	c.fill(p.ground)
	r := c.size / s.between(70, 105)
	scene := s.between(1.5, 3)
	colours := append(p.all(), p.ink)
	step := r * 1.75
	for y := 0.0; y < c.h+step; y += step {
		for x := 0.0; x < c.w+step; x += step {
			px, py := x+s.between(-.4, .4)*step, y+s.between(-.4, .4)*step
			where := (n.fractal(px/c.size*scene, py/c.size*scene, 2) + 1) / 2
			at := int((where*1.6-.3)*float64(len(colours)) + s.between(-.9, .9))
			col := colours[min(max(at, 0), len(colours)-1)].lighter(s.between(-22, 22))
			c.disc(px, py, r*s.between(.75, 1.05), col, 1)
		}
	}
}

// paintHatching: thin strokes in two leaning directions, closer where the
// hidden form is dark; flat washes lie below.
func paintHatching(c *canvas, p palette, s source) {
	n := newNoise(s)
	scene := s.between(1.5, 2.6)
	dark := func(x, y float64) float64 {
		return (n.at(x/c.size*scene, y/c.size*scene) + 1) / 2
	}
	c.paint(func(x, y float64) colour {
		return mix(p.ground, p.accents[0], .75*smooth(.5, .56, dark(x, y)))
	})
	lean := math.Pi/4 + s.between(-.2, .2)
	if s.chance(.5) {
		lean = -lean
	}
	spacing := c.size / s.between(62, 85)
	width := max(spacing*s.between(.18, .28), 1.1)
	for layer, angle := range []float64{lean, lean + math.Pi/2 + s.between(-.2, .2), lean} {
		threshold := []float64{.12, .45, .7}[layer]
		cos, sin := math.Cos(angle), math.Sin(angle)
		reach := math.Hypot(c.w, c.h) / 2
		shift := spacing * float64(layer) / 2
		col := p.ink
		if layer == 2 {
			col = p.accents[1]
		}
		for v := -reach + shift; v < reach; v += spacing {
			for u := -reach; u < reach; {
				length := c.size * s.between(.05, .12)
				mu, mv := u+length/2, v+s.between(-.15, .15)*spacing
				mx, my := c.w/2+mu*cos-mv*sin, c.h/2+mu*sin+mv*cos
				if dark(mx, my) > threshold {
					tilt := s.between(-.03, .03)
					hx, hy := math.Cos(angle+tilt)*length*.52, math.Sin(angle+tilt)*length*.52
					c.line(point{mx - hx, my - hy}, point{mx + hx, my + hy}, width, col, .9)
				}
				u += length
			}
		}
	}
}

// paintStrokes: broad short strokes laid along a swirling field, each with
// a light and a dark bristle.
func paintStrokes(c *canvas, p palette, s source) {
	n, m := newNoise(s), newNoise(s)
	c.fill(p.ground)
	swirl := s.between(1.6, 2.8)
	scene := s.between(1.3, 2.4)
	colours := p.all()
	width := c.size / s.between(26, 36)
	step := width * 1.15
	for y := 0.0; y < c.h+step; y += step {
		for x := 0.0; x < c.w+step; x += step {
			at := point{x + s.between(-.6, .6)*step, y + s.between(-.6, .6)*step}
			where := (m.at(at.x/c.size*scene, at.y/c.size*scene) + 1) / 2
			i := int(where*float64(len(colours)) + s.between(-.7, .7))
			col := colours[min(max(i, 0), len(colours)-1)].lighter(s.between(-18, 18))
			for range 4 {
				a := 2 * math.Pi * n.at(at.x/c.size*swirl, at.y/c.size*swirl)
				to := point{at.x + width*.7*math.Cos(a), at.y + width*.7*math.Sin(a)}
				side := point{-math.Sin(a) * width * .25, math.Cos(a) * width * .25}
				c.line(at, to, width*.85, col, .9)
				c.line(point{at.x + side.x, at.y + side.y}, point{to.x + side.x, to.y + side.y}, width*.16, col.lighter(34), .8)
				c.line(point{at.x - side.x, at.y - side.y}, point{to.x - side.x, to.y - side.y}, width*.16, col.lighter(-34), .8)
				at = to
			}
		}
	}
}
