package report

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// XY is a point.
type XY struct{ X, Y float64 }

// Line is a named row of points.
type Line struct {
	Name   string
	Points []XY
}

// lineColours tell lines apart, also in grey.
var lineColours = []color.NRGBA{{0x99, 0x99, 0x99, 255}, {0x1f, 0x4e, 0x79, 255}, {0xc0, 0x5a, 0x1e, 255}, {0x3a, 0x7d, 0x44, 255}}

// Lines draws lines over one axis as SVG. A line without points is left out.
func Lines(w io.Writer, x, y string, lines ...Line) error {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.Add(plotter.NewGrid())
	p.Legend.Top = true
	for i, l := range lines {
		if len(l.Points) == 0 {
			continue
		}
		points := make(plotter.XYs, len(l.Points))
		for k, at := range l.Points {
			points[k] = plotter.XY(at)
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return fmt.Errorf("report: draw %s: %w", l.Name, err)
		}
		colour := lineColours[i%len(lineColours)]
		line.Color, line.Width, dots.Color, dots.Shape = colour, vg.Points(1.5), colour, draw.CircleGlyph{}
		p.Add(line, dots)
		p.Legend.Add(l.Name, line, dots)
	}
	p.Y.Min = min(p.Y.Min, 0)
	p.Y.Max *= 1.3 // for the legend
	svg, err := svgOf(p)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = io.WriteString(w, string(svg))
	return err
}
