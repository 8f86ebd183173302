package museum

import "image"

// Style names a manner of painting, in words for people.
type Style = string

// The styles. They differ in orientation, frequency, edges and layout, not
// in colour.
const (
	ColourFields Style = "colour fields"
	Grid         Style = "grid"
	OpArt        Style = "op art"
	Pointillism  Style = "pointillism"
	Hatching     Style = "hatching"
	Blots        Style = "blots"
	Suprematism  Style = "suprematism"
	Landscape    Style = "landscape"
	Circles      Style = "concentric circles"
	Strokes      Style = "brush strokes"
)

// painter paints one picture in its style.
type painter func(c *canvas, p palette, s source)

var painters = []struct {
	style Style
	paint painter
}{
	{ColourFields, paintColourFields},
	{Grid, paintGrid},
	{OpArt, paintOpArt},
	{Pointillism, paintPointillism},
	{Hatching, paintHatching},
	{Blots, paintBlots},
	{Suprematism, paintSuprematism},
	{Landscape, paintLandscape},
	{Circles, paintCircles},
	{Strokes, paintStrokes},
}

// Styles lists every style, in a fixed order.
func Styles() []Style {
	styles := make([]Style, len(painters))
	for i, p := range painters {
		styles[i] = p.style
	}
	return styles
}

// draw paints the picture upright.
func draw(seed int64, index, style, width, height int) *image.RGBA {
	c := newCanvas(width, height)
	painters[style].paint(c, drawPalette(newSource(seed, index, streamPalette)), newSource(seed, index, streamPaint))
	return c.img
}
