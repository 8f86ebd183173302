package report

import (
	"fmt"
	"html/template"
	"image/color"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Spot is a named point with an interval of its Y.
type Spot struct {
	Name         string
	X, Y         float64
	Low, High    float64
	Unlike       bool // drawn in another colour
	NotSignified bool // drawn pale
}

// drawnAt is its place on an axis that has no zero.
func (s Spot) drawnAt() float64 { return max(s.X, 1e-3) }

// Page is a page of tables, sentences and a plot of spots.
type Page struct {
	Title    string
	Summary  string
	Warnings []string
	Sections []Section
	// X and Y say what the plot shows; without spots there is none. X is drawn
	// in powers of ten.
	X, Y  string
	Spots []Spot
}

// Write writes the page, which needs nothing else. Its texts may be any.
func (p Page) Write(w io.Writer) error {
	var figures []figure
	if len(p.Spots) > 0 {
		svg, err := spots(p.Y, p.Spots)
		if err != nil {
			return err
		}
		drawn := figure{Title: p.Y + " against " + p.X, SVG: svg}
		for _, s := range p.Spots {
			drawn.Names = append(drawn.Names, fmt.Sprintf("%s: %.3f [%.3f, %.3f] at %s", s.Name, s.Y, s.Low, s.High, strconv.FormatFloat(s.X, 'f', 2, 64)))
		}
		figures = append(figures, drawn)
	}
	return page.Execute(w, struct {
		Title, Summary string
		Warnings       []string
		Figures        []figure
		Sections       []Section
		Report         struct{ Model, Data string }
	}{p.Title, p.Summary, p.Warnings, figures, p.Sections, struct{ Model, Data string }{}})
}

// spots draws points with their intervals, numbered in their order: names stand
// below the plot, where they have room.
func spots(y string, all []Spot) (template.HTML, error) {
	p := plot.New()
	p.Y.Label.Text = y // x stands in the caption: gonum would keep room for it where the middle of the values is, far right on this axis
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades{}
	p.Add(plotter.NewGrid())
	for _, s := range all {
		colour := color.Color(ink)
		if s.Unlike {
			colour = lineColours[2]
		}
		if s.NotSignified {
			colour = pale
		}
		at := plotter.XYs{{X: s.drawnAt(), Y: s.Y}}
		dot, err := plotter.NewScatter(at)
		if err != nil {
			return "", fmt.Errorf("report: draw %s: %w", s.Name, err)
		}
		dot.GlyphStyle = draw.GlyphStyle{Color: colour, Radius: vg.Points(3.5), Shape: draw.CircleGlyph{}}
		bars, err := plotter.NewYErrorBars(errorBars{at, plotter.YErrors{{Low: s.Y - s.Low, High: s.High - s.Y}}})
		if err != nil {
			return "", fmt.Errorf("report: draw %s: %w", s.Name, err)
		}
		bars.Color = colour
		p.Add(bars, dot)
	}
	p.X.Min, p.X.Max = p.X.Min/2, p.X.Max*2 // room for the numbers
	p.Add(numbers(all))
	svg, err := svgOf(p)
	if err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return svg, nil
}

// decades marks powers of ten, and names as many of them as there is room for.
type decades struct{}

// Ticks gives the marks between two values above 0.
func (decades) Ticks(low, high float64) []plot.Tick {
	const named = 5
	first, last := int(math.Ceil(math.Log10(low)-1e-9)), int(math.Floor(math.Log10(high)+1e-9))
	every := 1 + (last-first)/named
	var all []plot.Tick
	for n := first; n <= last; n++ {
		tick := plot.Tick{Value: math.Pow10(n)}
		if (n-first)%every == 0 {
			tick.Label = strconv.FormatFloat(tick.Value, 'f', -1, 64)
		}
		all = append(all, tick)
	}
	return all
}

// numbers writes beside each spot its number, from 1, where it covers neither
// another number nor a spot.
type numbers []Spot

const numberSize = 8 // points

// Plot writes the numbers.
func (n numbers) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := p.Legend.TextStyle
	style.Font.Size, style.XAlign, style.YAlign = vg.Points(numberSize), draw.XCenter, draw.YCenter
	places := make([]vg.Point, len(n))
	var taken []vg.Rectangle
	for i, s := range n {
		places[i] = vg.Point{X: x(s.drawnAt()), Y: y(s.Y)}
		taken = append(taken, around(places[i], 4, 4), vg.Rectangle{Min: vg.Point{X: places[i].X - 1, Y: y(s.Low)}, Max: vg.Point{X: places[i].X + 1, Y: y(s.High)}})
	}
	for i := range n {
		text := strconv.Itoa(i + 1)
		at, box := beside(places[i], vg.Length(len(text)), taken, c.Rectangle)
		taken = append(taken, box)
		c.FillText(style, at, text)
	}
}

func around(p vg.Point, halfWidth, halfHeight vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: p.X - halfWidth, Y: p.Y - halfHeight}, Max: vg.Point{X: p.X + halfWidth, Y: p.Y + halfHeight}}
}

// beside finds room for a number of so many digits: right of a point or around
// it, and further away where that is taken.
func beside(p vg.Point, digits vg.Length, taken []vg.Rectangle, within vg.Rectangle) (at vg.Point, box vg.Rectangle) {
	width, height := numberSize*.35*digits+1.5, vg.Length(numberSize*.5)
	for ring := range 12 {
		far := vg.Length(7 + 5*ring)
		for _, way := range []vg.Point{{X: 1}, {X: .7, Y: .7}, {X: .7, Y: -.7}, {X: -1}, {X: -.7, Y: .7}, {X: -.7, Y: -.7}} {
			at = vg.Point{X: p.X + far*way.X + width*way.X, Y: p.Y + far*way.Y}
			box = around(at, width, height)
			free := box.Min.X >= within.Min.X && box.Max.X <= within.Max.X && box.Min.Y >= within.Min.Y && box.Max.Y <= within.Max.Y
			for _, t := range taken {
				free = free && (box.Max.X <= t.Min.X || t.Max.X <= box.Min.X || box.Max.Y <= t.Min.Y || t.Max.Y <= box.Min.Y)
			}
			if free {
				return at, box
			}
		}
	}
	return at, box
}
