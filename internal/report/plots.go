package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"io"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

// plotSide is half the page, where two plots stand side by side at the size that
// their letters are made for.
const plotSide = 4.8 * vg.Inch

var (
	ink  = color.NRGBA{0x1f, 0x4e, 0x79, 255}
	pale = color.NRGBA{0x99, 0x99, 0x99, 255}
)

// figure is a plot as SVG for the page.
type figure struct {
	Title string
	SVG   template.HTML
	Names []string // of what is numbered in it
}

// Plot names one of the drawings of a report.
type Plot string

// The plots.
const (
	ROC             Plot = "roc"
	PrecisionRecall Plot = "precision-recall"
	Calibration     Plot = "calibration"
	LearningCurve   Plot = "learning-curve"
)

// Title is what stands below the plot.
func (p Plot) Title() string {
	return map[Plot]string{ROC: "ROC curve", PrecisionRecall: "Precision and recall",
		Calibration: "Calibration, with the number of pictures in each bin", LearningCurve: "Learning curve"}[p]
}

// Plots are those that a report gives: a learning curve is not always measured.
func Plots(r *judge.Report) []Plot {
	plots := []Plot{ROC, PrecisionRecall, Calibration}
	if len(r.LearningCurve) > 1 {
		plots = append(plots, LearningCurve)
	}
	return plots
}

// figures draws what the report gives: the ROC, precision-recall and
// calibration curves of the out-of-fold predictions, and the learning curve.
func figures(r *judge.Report) ([]figure, error) {
	var out []figure
	for _, name := range Plots(r) {
		p, err := drawn(name, r, nil)
		if err != nil {
			return nil, err
		}
		svg, err := svgOf(p)
		if err != nil {
			return nil, fmt.Errorf("report: draw the %s: %w", name.Title(), err)
		}
		out = append(out, figure{Title: name.Title(), SVG: svg})
	}
	return out, nil
}

// alone is what a drawing that is no part of a page is dressed in: letters of
// the page, and the other way round in the dark.
const alone = `<style>text{font-family:system-ui,sans-serif!important;font-weight:normal!important}@media(prefers-color-scheme:dark){svg{filter:invert(1) hue-rotate(180deg)}}</style>`

// Draw writes a plot as an SVG file without a ground, which follows the light
// or dark of what shows it. A threshold that is not nil is marked on the curves
// that have one. palate.ErrInvalid for a plot that the report does not give.
func Draw(w io.Writer, name Plot, r *judge.Report, threshold *float64) error {
	if !slices.Contains(Plots(r), name) {
		return fmt.Errorf("the report gives no plot %q: %w", name, palate.ErrInvalid)
	}
	p, err := drawn(name, r, threshold)
	if err != nil {
		return err
	}
	p.BackgroundColor = nil
	svg, err := svgOf(p)
	if err != nil {
		return fmt.Errorf("report: draw the %s: %w", name.Title(), err)
	}
	head, body, _ := strings.Cut(string(svg), ">")
	_, err = io.WriteString(w, head+">"+alone+body)
	return err
}

// drawn is a plot, ready to be written.
func drawn(name Plot, r *judge.Report, threshold *float64) (p *plot.Plot, err error) {
	probabilities, liked := outOfFold(r)
	switch name {
	case ROC:
		points, failed := judge.ROC(probabilities, liked)
		if err = failed; err == nil {
			p, err = curve("dislikes taken for likes", "likes found", xys(points), plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
		}
	case PrecisionRecall:
		points, failed := judge.PrecisionRecall(probabilities, liked)
		if err = failed; err == nil {
			share := float64(r.Likes) / float64(r.Likes+r.Dislikes)
			p, err = curve("recall", "precision", precisionLine(points), plotter.XYs{{X: 0, Y: share}, {X: 1, Y: share}})
		}
	case Calibration:
		bins, failed := judge.Reliability(probabilities, liked, binsOfCalibration)
		if err = failed; err == nil {
			p, err = reliability(bins)
		}
	default:
		p, err = learning(r.LearningCurve)
	}
	if err == nil && threshold != nil && (name == ROC || name == PrecisionRecall) {
		err = mark(p, name, probabilities, liked, *threshold)
	}
	if err != nil {
		return nil, fmt.Errorf("report: draw the %s: %w", name.Title(), err)
	}
	return p, nil
}

// mark puts a dot where a threshold stands on a curve. Where nothing would count
// as liked there is no precision, and no dot.
func mark(p *plot.Plot, name Plot, probabilities []float64, liked []bool, threshold float64) error {
	c, err := judge.NewConfusion(probabilities, liked, threshold)
	if err != nil {
		return err
	}
	at := plotter.XY{X: float64(c.FalseLikes) / float64(c.FalseLikes+c.TrueDislikes), Y: c.Recall()}
	if name == PrecisionRecall {
		if c.TrueLikes+c.FalseLikes == 0 {
			return nil
		}
		at = plotter.XY{X: c.Recall(), Y: c.Precision()}
	}
	dot, err := plotter.NewScatter(plotter.XYs{at})
	if err != nil {
		return err
	}
	dot.GlyphStyle = draw.GlyphStyle{Color: lineColours[2], Radius: vg.Points(5), Shape: draw.CircleGlyph{}}
	p.Add(dot)
	return nil
}

// outOfFold are the chances that were predicted of what was held out.
func outOfFold(r *judge.Report) (probabilities []float64, liked []bool) {
	for _, p := range r.OutOfFold {
		probabilities, liked = append(probabilities, p.Probability), append(liked, p.Liked)
	}
	return probabilities, liked
}

// Decisions are what counting as liked from a chance on would mean, at every
// hundredth from 0 to 1, in the pictures that were held out.
func Decisions(r *judge.Report) ([]judge.Confusion, error) {
	probabilities, liked := outOfFold(r)
	out := make([]judge.Confusion, 101)
	for i := range out {
		var err error
		if out[i], err = judge.NewConfusion(probabilities, liked, float64(i)/100); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func xys(points []judge.Point) plotter.XYs {
	out := make(plotter.XYs, len(points))
	for i, p := range points {
		out[i] = plotter.XY(p)
	}
	return out
}

// precisionLine is the curve from recall 0 to 1, with one precision for each
// recall, the best: what the first few pictures jump up and down at one recall is
// no property of the probe. Before the first like nothing is found, so that there
// is no precision of its own.
func precisionLine(points []judge.Point) plotter.XYs {
	var line plotter.XYs
	for _, p := range points {
		switch last := len(line) - 1; {
		case p.X == 0:
		case last >= 0 && line[last].X == p.X:
			line[last].Y = max(line[last].Y, p.Y)
		default:
			line = append(line, plotter.XY(p))
		}
	}
	if len(line) == 0 {
		return line
	}
	return append(plotter.XYs{{X: 0, Y: line[0].Y}}, line...)
}

// square is an empty plot of two shares.
func square(x, y string) *plot.Plot {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Add(plotter.NewGrid())
	return p
}

// curve draws points as a line, and a dashed line of what knows nothing.
func curve(x, y string, points, nothing plotter.XYs) (*plot.Plot, error) {
	p := square(x, y)
	line, err := plotter.NewLine(points)
	if err != nil {
		return nil, err
	}
	line.Color, line.Width = ink, vg.Points(1.5)
	dashed, err := plotter.NewLine(nothing)
	if err != nil {
		return nil, err
	}
	dashed.Color, dashed.Dashes = pale, []vg.Length{vg.Points(4), vg.Points(4)}
	p.Add(dashed, line)
	return p, nil
}

func reliability(bins []judge.Bin) (*plot.Plot, error) {
	points, counts := make(plotter.XYs, len(bins)), make([]string, len(bins))
	for i, b := range bins {
		points[i], counts[i] = plotter.XY{X: b.Probability, Y: b.Likes}, fmt.Sprint(b.Images)
	}
	p, err := curve("predicted chance", "share of likes", points, plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
	if err != nil {
		return nil, err
	}
	dots, err := plotter.NewScatter(points)
	if err != nil {
		return nil, err
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: ink, Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
	for i, at := range points { // inside of the plot: below a dot in its upper half
		label, err := plotter.NewLabels(plotter.XYLabels{XYs: points[i : i+1], Labels: counts[i : i+1]})
		if err != nil {
			return nil, err
		}
		label.TextStyle[0].Color, label.TextStyle[0].XAlign, label.TextStyle[0].YAlign, label.Offset.Y = ink, draw.XCenter, draw.YBottom, vg.Points(5)
		if at.Y > .5 {
			label.TextStyle[0].YAlign, label.Offset.Y = draw.YTop, vg.Points(-5)
		}
		p.Add(label)
	}
	p.Add(dots)
	return p, nil
}

// learning draws the AUC with its interval.
func learning(points []judge.CurvePoint) (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "works learned from", "ROC-AUC"
	p.Add(plotter.NewGrid())
	values := errorBars{XYs: make(plotter.XYs, len(points)), YErrors: make(plotter.YErrors, len(points))}
	for i, point := range points {
		values.XYs[i] = plotter.XY{X: float64(point.Works), Y: point.AUC}
		values.YErrors[i].Low, values.YErrors[i].High = point.AUC-point.Low, point.High-point.AUC
	}
	line, dots, err := plotter.NewLinePoints(values)
	if err != nil {
		return nil, err
	}
	line.Color, line.Width, dots.Color, dots.Shape = ink, vg.Points(1.5), ink, draw.CircleGlyph{}
	bars, err := plotter.NewYErrorBars(values)
	if err != nil {
		return nil, err
	}
	bars.Color = pale
	p.Add(bars, line, dots)
	p.X.Min, p.Y.Max = 0, 1
	return p, nil
}

type errorBars struct {
	plotter.XYs
	plotter.YErrors
}

// svgOf gives the <svg> element alone, as HTML takes it.
func svgOf(p *plot.Plot) (template.HTML, error) {
	canvas := vgsvg.New(plotSide, plotSide)
	// The last label of an axis is wider than what is left beside it.
	p.Draw(draw.Crop(draw.New(canvas), 0, -vg.Points(10), 0, -vg.Points(4)))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", err
	}
	at := bytes.Index(b.Bytes(), []byte("<svg"))
	if at < 0 {
		return "", fmt.Errorf("the plot has no <svg>")
	}
	// The texts in the plots are ours; gonum escapes them.
	return template.HTML(b.Bytes()[at:]), nil
}
