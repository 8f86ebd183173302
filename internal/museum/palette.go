package museum

import "math"

// palette is the colours of one picture. It is drawn before the style is
// known and from one distribution for all, so that mean colour says nearly
// nothing of the style.
type palette struct {
	ground  colour   // what the picture is painted on: light, dark or in between
	ink     colour   // stands out from the ground by lightness
	accents []colour // five, in random order; each differs from the ground
}

// oklch converts from Oklch (B. Ottosson, "A perceptual color space for
// image processing", 2020) to sRGB; what lies outside is clipped.
func oklch(lightness, chroma, hue float64) colour {
	a, b := chroma*math.Cos(hue), chroma*math.Sin(hue)
	l := lightness + .3963377774*a + .2158037573*b
	m := lightness - .1055613458*a - .0638541728*b
	s := lightness - .0894841775*a - 1.2914855480*b
	l, m, s = l*l*l, m*m*m, s*s*s
	linear := [3]float64{
		4.0767416621*l - 3.3077115913*m + .2309699292*s,
		-1.2684380046*l + 2.6097574011*m - .3413193965*s,
		-.0041960863*l - .7034186147*m + 1.7076147010*s,
	}
	var c colour
	for i, v := range linear {
		if v <= .0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - .055
		}
		c[i] = min(max(v*255, 0), 255)
	}
	return c
}

// Distances of the accents' hues from the first one, in turns: the harmonies
// that painters' manuals name.
var harmonies = [][]float64{
	{0, .03, -.04, .07, -.08},  // analogous
	{0, .5, .04, .47, -.03},    // complementary
	{0, .333, .667, .03, .37},  // triadic
	{0, .42, .58, -.04, .05},   // split complementary
	{0, .25, .5, .75, .02},     // square
	{0, .08, .5, .55, -.05},    // one against a neighbouring pair
	{0, .015, -.02, .01, -.01}, // one hue
}

func drawPalette(s source) palette {
	hue := s.Float64()
	harmony := pick(s, harmonies)
	chroma := s.between(.05, .17)
	groundLight := s.between(.3, .93)
	centre := s.between(.48, .76)
	ground := oklch(groundLight, s.between(.005, .09), 2*math.Pi*(hue+pick(s, harmony)))

	inkLight := s.between(.14, .3)
	if groundLight < .58 {
		inkLight = s.between(.85, .97)
	}
	p := palette{ground: ground, ink: oklch(inkLight, s.between(0, .04), 2*math.Pi*hue)}
	for i, step := range harmony {
		// Lightness is spread about the centre, then shifted off the ground's.
		light := centre + .11*float64(i-2) + s.between(-.05, .05)
		if d := light - groundLight; math.Abs(d) < .15 {
			light = groundLight + math.Copysign(.15, d)
		}
		p.accents = append(p.accents, oklch(min(light, .95), chroma*s.between(.7, 1.3), 2*math.Pi*(hue+step+s.between(-.02, .02))))
	}
	s.Shuffle(len(p.accents), func(i, j int) { p.accents[i], p.accents[j] = p.accents[j], p.accents[i] })
	return p
}

// all gives ground and accents, for styles that use them as equals.
func (p palette) all() []colour { return append([]colour{p.ground}, p.accents...) }
