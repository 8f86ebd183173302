package report

import (
	"fmt"
	"html/template"
	"image/color"
	"io"

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

// Page is a page of tables, sentences and a plot of spots.
type Page struct {
	Title    string
	Summary  string
	Warnings []string
	Sections []Section
	// X and Y label the plot; without spots there is none. X is drawn in
	// powers of ten.
	X, Y  string
	Spots []Spot
}

// Write writes the page, which needs nothing else. Its texts may be any.
func (p Page) Write(w io.Writer) error {
	var figures []figure
	if len(p.Spots) > 0 {
		svg, err := spots(p.X, p.Y, p.Spots)
		if err != nil {
			return err
		}
		figures = append(figures, figure{p.Y + " against " + p.X, svg})
	}
	return page.Execute(w, struct {
		Title, Summary string
		Warnings       []string
		Figures        []figure
		Sections       []Section
		Report         struct{ Model, Data string }
	}{p.Title, p.Summary, p.Warnings, figures, p.Sections, struct{ Model, Data string }{}})
}

// spots draws points with their intervals and names.
func spots(x, y string, all []Spot) (template.HTML, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Add(plotter.NewGrid())
	for _, s := range all {
		colour := color.Color(ink)
		if s.Unlike {
			colour = lineColours[2]
		}
		if s.NotSignified {
			colour = pale
		}
		at := plotter.XYs{{X: max(s.X, 1e-3), Y: s.Y}}
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
		name, err := plotter.NewLabels(plotter.XYLabels{XYs: at, Labels: []string{" " + s.Name}})
		if err != nil {
			return "", fmt.Errorf("report: draw %s: %w", s.Name, err)
		}
		name.TextStyle[0].Font.Size = vg.Points(7)
		p.Add(bars, dot, name)
	}
	p.X.Min, p.X.Max = p.X.Min/3, p.X.Max*30 // room for the names
	svg, err := svgOf(p)
	if err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return svg, nil
}
