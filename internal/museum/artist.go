package museum

// artist is invented. Each works mostly, not only, in one or two styles.
type artist struct {
	name   string
	born   int
	styles []Style
}

var artists = []artist{
	{"Ilse Varnhagen", 1871, []Style{ColourFields, Landscape}},
	{"Бронислава Ковалёва", 1884, []Style{Suprematism}},
	{"陳墨林", 1862, []Style{Landscape, Strokes}},
	{"Jóhanna Þórsdóttir", 1890, []Style{Blots, ColourFields}},
	{"يوسف الرمّال", 1879, []Style{Circles, Grid}},
	{"Anaïs de Sévérac-Lemoine", 1866, []Style{Pointillism}},
	{"Giacomo Bellandrini", 1858, []Style{Hatching, Landscape}},
	{"小田切 柳枝", 1881, []Style{OpArt}},
	{"Piet Oosterwold", 1876, []Style{Grid}},
	{"Ελένη Μαυρομάτη", 1888, []Style{Circles, Suprematism}},
	{"Tomás Iriarte Quiñones", 1869, []Style{Strokes}},
	{"אסתר לבנון", 1886, []Style{Hatching, Pointillism}},
	{"Wanjiru Kamotho", 1892, []Style{OpArt, Circles}},
	{"Łucja Żeromińska", 1874, []Style{Blots, Strokes}},
}

func (a artist) paints(style Style) bool {
	for _, s := range a.styles {
		if s == style {
			return true
		}
	}
	return false
}

// artistOf draws who painted a picture of the style: four times in five one
// whose manner it is.
func artistOf(s source, style Style) artist {
	if s.chance(.2) {
		return pick(s, artists)
	}
	var of []artist
	for _, a := range artists {
		if a.paints(style) {
			of = append(of, a)
		}
	}
	return pick(s, of)
}

type licence struct{ name, url string }

var licences = []licence{
	{"CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"},
	{"CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"},
	{"CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"},
	{"CC BY-SA 3.0 de", "https://creativecommons.org/licenses/by-sa/3.0/de/"},
	{"Public domain", "https://creativecommons.org/publicdomain/mark/1.0/"},
}

var media = map[Style][]string{
	ColourFields: {"oil on canvas", "acrylic on canvas", "tempera on panel"},
	Grid:         {"oil on canvas", "oil on board"},
	OpArt:        {"acrylic on board", "screen print"},
	Pointillism:  {"oil on canvas", "oil on panel"},
	Hatching:     {"pen and ink on toned paper", "etching with aquatint"},
	Blots:        {"ink and gouache on paper", "enamel on canvas"},
	Suprematism:  {"oil on canvas", "gouache on paper"},
	Landscape:    {"oil on canvas", "watercolour on paper", "woodcut in colours"},
	Circles:      {"watercolour and gouache on paper", "oil on canvas"},
	Strokes:      {"oil on canvas", "oil on cardboard"},
}
