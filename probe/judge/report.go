package judge

import (
	"encoding/json"
	"fmt"

	"github.com/palate-art/palate"
)

// Format is the version of a report's JSON that this program writes.
const Format = 3

// Report says how good a probe is. Every metric is of predictions for works
// that had no part in what predicted them: not in fitting, not in the choice
// of strength, iterations or threshold, not in calibrating. A work is the
// examples of one group and verdict; it counts once.
type Report struct {
	// Format is the version of the JSON, Format wherever this program made or
	// read it.
	Format   int            `json:"format"`
	Model    palate.ModelID `json:"model"`
	Kind     string         `json:"kind"`
	Examples int            `json:"examples"`
	Likes    int            `json:"likes"`
	Dislikes int            `json:"dislikes"`
	Groups   int            `json:"groups"` // examples that are held together
	Works    int            `json:"works"`  // that every metric counts; 0 in reports of format 1 and 2
	// Data is the SHA-256 of what was learned from: images, embeddings,
	// verdicts, weights.
	Data    string `json:"data"`
	Folds   int    `json:"folds"`
	Repeats int    `json:"repeats"`

	// AUC is the share of pairs of a like and a dislike of one fold that are
	// in the right order, with its 95 % interval (see AUCInterval): unlike
	// the bootstrap's it knows that few separated pictures prove little.
	AUC     float64 `json:"auc"`
	AUCLow  float64 `json:"auc_low"`
	AUCHigh float64 `json:"auc_high"`
	// AveragePrecision, LogLoss, Brier and CalibrationError (see there) are
	// of the calibrated probabilities of all folds together.
	AveragePrecision float64 `json:"average_precision"`
	LogLoss          float64 `json:"log_loss"`
	Brier            float64 `json:"brier"`
	CalibrationError float64 `json:"calibration_error"`
	// BalancedAccuracy, F1 and Confusion are of decisions at the threshold
	// that each fold's training part gave.
	BalancedAccuracy float64   `json:"balanced_accuracy"`
	F1               float64   `json:"f1"`
	Confusion        Confusion `json:"confusion"`
	// Metrics has all of these and more with bootstrap intervals.
	Metrics []Metric `json:"metrics,omitempty"`
	// Threshold is that of the probe.
	Threshold Threshold `json:"threshold"`
	// Calibration is the method of the probe.
	Calibration CalibrationMethod `json:"calibration"`

	// Choice says which kinds were tried and why this one was taken; nil where
	// the kind was given.
	Choice *Choice `json:"choice,omitempty"`
	// Conclusion says in a sentence which kind judges best, and what to do
	// where it is another; empty where nothing else was tried.
	Conclusion string `json:"conclusion,omitempty"`

	// Explore is of the ratings of images that no probe chose; it is missing
	// where they are too few or of one kind.
	Explore *Subset `json:"explore,omitempty"`
	// Baselines are other kinds on the same splits.
	Baselines []Baseline `json:"baselines,omitempty"`
	// Breakdowns show a shortcut: by artist and by site.
	Breakdowns []Breakdown `json:"breakdowns,omitempty"`
	// LearningCurve is what fewer ratings would give.
	LearningCurve []CurvePoint `json:"learning_curve,omitempty"`

	// Strength is the one chosen, among all; 0 for a kind without.
	Strength  float64        `json:"strength"`
	Strengths []StrengthLoss `json:"strengths,omitempty"`
	// Iterations of the final fit.
	Iterations int `json:"iterations"`
	// Stops tells of each fold at the chosen strength.
	Stops []FoldStop `json:"stops,omitempty"`

	// OutOfFold has every example, in the order of images.
	OutOfFold []Prediction `json:"out_of_fold,omitempty"`

	// Seconds that learning and judging took, where that was measured.
	Seconds float64 `json:"seconds,omitempty"`

	// Warnings are for people: what to keep in mind.
	Warnings []string `json:"warnings,omitempty"`
}

// Summary is the report without its lists: as large whatever the number of
// examples.
func (r *Report) Summary() *Report {
	s := *r
	s.Metrics, s.Explore, s.Baselines, s.Breakdowns, s.LearningCurve = nil, nil, nil, nil, nil
	s.Strengths, s.Stops, s.OutOfFold, s.Warnings, s.Choice = nil, nil, nil, nil, nil
	return &s
}

// Choice is one kind among several.
type Choice struct {
	Kind string `json:"kind"` // that was taken
	// Candidates are all that were tried, the simplest first.
	Candidates []Candidate `json:"candidates"`
}

// Candidate is a kind that was tried. Its AUC is of the folds that the choice
// was made by: what was learned had not seen the works, but the choice has.
// The report's AUC is that of the whole, choice included.
type Candidate struct {
	Kind string  `json:"kind"`
	AUC  float64 `json:"auc"`
}

// AUC is that of a candidate by its kind; 0 if it was not tried.
func (c *Choice) AUC(kind string) float64 {
	for _, k := range c.Candidates {
		if k.Kind == kind {
			return k.AUC
		}
	}
	return 0
}

// Subset is the metrics of some works.
type Subset struct {
	Works   int      `json:"works"`
	Likes   int      `json:"likes"`
	Metrics []Metric `json:"metrics"`
}

// Baseline is another kind, and how much better the probe is.
type Baseline struct {
	Kind    string   `json:"kind"`
	Metrics []Metric `json:"metrics"`
	// Difference is the AUC of the report's kind less that of this one.
	Difference Difference `json:"difference"`

	OutOfFold []Prediction `json:"-"`
}

// CurvePoint is the AUC after learning from so many works.
type CurvePoint struct {
	Works int     `json:"works"`
	AUC   float64 `json:"auc"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// StrengthLoss is the mean held-out loss of one strength over the folds.
type StrengthLoss struct {
	Strength float64 `json:"strength"`
	Loss     float64 `json:"loss"`
}

// FoldStop tells where the descent stopped in one fold. Losses are the mean
// weighted log-loss of what the fold held out.
type FoldStop struct {
	Fold      int     `json:"fold"`
	Iteration int     `json:"iteration"` // that had the lowest loss
	Ran       int     `json:"ran"`       // iterations in all
	Loss      float64 `json:"loss"`      // at Iteration

	ConvergedAt       int     `json:"converged_at"` // iterations without early stopping
	LossAtConvergence float64 `json:"loss_at_convergence"`
	Gain              float64 `json:"gain"` // LossAtConvergence - Loss
}

// Prediction is what was predicted of an example by probes that had not seen
// it; with Repeats above 1 it is the mean, and Fold is of the first.
type Prediction struct {
	Image palate.ImageID `json:"image,omitzero"`
	// Row numbers an example without an image; nil of one with.
	Row         *int    `json:"row,omitempty"`
	Liked       bool    `json:"liked"`
	Fold        int     `json:"fold"`
	Score       float64 `json:"score"`       // logit
	Probability float64 `json:"probability"` // calibrated
	// Decided says whether it counted as liked, at the threshold of what
	// predicted it.
	Decided bool `json:"decided"`
}

// UnmarshalJSON reads a report in any format that a release of palate wrote.
// One of a later release is palate.ErrInvalid.
func (r *Report) UnmarshalJSON(b []byte) error {
	type fields Report // has no methods
	var read fields
	if err := json.Unmarshal(b, &read); err != nil {
		return fmt.Errorf("judge: read a report: %w", err)
	}
	// Format 1 did not say so. Its fields are those of format 2, whose
	// predictions may be of rows instead of images. Format 3 counts works,
	// has the AUC's interval by DeLong among the metrics too, and a
	// calibration error that chance does not raise, without an interval.
	if read.Format < 0 || read.Format > Format {
		return invalid("a report in format %d; this program reads formats up to %d", read.Format, Format)
	}
	read.Format = Format
	*r = Report(read)
	return nil
}
