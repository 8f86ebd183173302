package report_test

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/report"
	"github.com/palate-art/palate/internal/taste"
)

func TestAHeatMapIsRedWhereItAddsMoreAndBlueWhereLess(t *testing.T) {
	grey := image.NewGray(image.Rect(5, 7, 205, 107)) // a picture may begin anywhere
	draw.Draw(grey, grey.Bounds(), image.NewUniform(color.Gray{100}), image.Point{}, draw.Src)
	// The model saw the middle half, in two columns.
	h := taste.Heat{Columns: 2, Rows: 1, Patches: []float64{5, 1}, Rest: -9, Shown: embedder.Area{MinX: .25, MaxX: .75, MaxY: 1}}
	m := report.HeatMap(grey, h)
	if m.Bounds() != image.Rect(0, 0, 200, 100) {
		t.Fatalf("got %v, want the picture's size", m.Bounds())
	}
	at := func(x int) color.RGBA { return m.RGBAAt(x, 50) }
	if c := at(10); c.R != c.B || c.R < 180 {
		t.Errorf("what was not seen is %v, want it pale", c)
	}
	if c := at(60); c.R < 150 || c.R < c.B+60 {
		t.Errorf("what adds more is %v, want it red", c)
	}
	if c := at(140); c.B < c.R+30 {
		t.Errorf("what adds less is %v, want it blue", c)
	}
	if c := at(100); max(c.R, c.B)-min(c.R, c.B) > 6 {
		t.Errorf("between them is %v, want it as it was", c)
	}
	one := report.HeatMap(grey, taste.Heat{Columns: 1, Rows: 1, Patches: []float64{3}, Shown: embedder.Area{MaxX: 1, MaxY: 1}})
	if c := one.RGBAAt(100, 50); c != (color.RGBA{100, 100, 100, 255}) {
		t.Errorf("where nothing differs the picture is %v", c)
	}
}
