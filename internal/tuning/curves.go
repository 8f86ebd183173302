package tuning

import (
	"bytes"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/report"
)

const curvesFile = "curves.svg"

// writeCurves draws the losses and the balanced accuracy of every epoch.
func writeCurves(path string, fitted finetune.Fitted) error {
	trained, held, accuracy := report.Line{Name: "loss, trained on"}, report.Line{Name: "loss, held back"}, report.Line{Name: "balanced accuracy, held back"}
	for _, e := range fitted.History {
		x := float64(e.Number)
		if e.Number > 0 {
			trained.Points = append(trained.Points, report.XY{X: x, Y: e.TrainLoss})
		}
		held.Points = append(held.Points, report.XY{X: x, Y: e.HeldLoss})
		accuracy.Points = append(accuracy.Points, report.XY{X: x, Y: e.BalancedAccuracy})
	}
	var svg bytes.Buffer
	if err := report.Lines(&svg, "epoch", "", trained, held, accuracy); err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, 0o600, svg.Bytes())
}
