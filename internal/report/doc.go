// Package report shows a judge.Report to people: as sections of tables, which
// the command line prints, and as one HTML page with plots in it that needs
// nothing else.
package report

import (
	"fmt"

	"github.com/palate-art/palate/probe/judge"
)

// Section is a table with a title; the first row is the header.
type Section struct {
	Title string
	Note  string
	Rows  [][]string
}

// maxShares is how many artists or sites a section lists.
const maxShares = 15

// labels are the names of metrics as people write them.
var labels = map[string]string{
	"auc": "ROC-AUC", "average_precision": "average precision", "balanced_accuracy": "balanced accuracy", "f1": "F1",
	"precision": "precision", "recall": "recall", "accuracy": "accuracy", "mcc": "Matthews' correlation", "log_loss": "log-loss",
	"brier": "Brier score", "calibration_error": "calibration error",
}

// Sections puts a report into tables.
func Sections(r *judge.Report) []Section {
	sections := []Section{metrics(r), confusion(r)}
	if s, ok := calibration(r); ok {
		sections = append(sections, s)
	}
	if r.Explore != nil {
		sections = append(sections, Section{
			Title: "Explored",
			Note:  fmt.Sprintf("On the %d ratings (%d likes) that no probe and nobody chose: the fairest picture of the collection.", r.Explore.Works, r.Explore.Likes),
			Rows:  metricRows(r.Explore.Metrics),
		})
	}
	if r.Choice != nil {
		sections = append(sections, choice(r))
	}
	if len(r.Baselines) > 0 {
		sections = append(sections, baselines(r))
	}
	if len(r.LearningCurve) > 0 {
		s := Section{Title: "Learning curve", Note: "What fewer ratings would have given.", Rows: [][]string{{"WORKS", "ROC-AUC", "95 % INTERVAL"}}}
		for _, p := range r.LearningCurve {
			s.Rows = append(s.Rows, []string{fmt.Sprint(p.Works), number(p.AUC), interval(p.Low, p.High)})
		}
		sections = append(sections, s)
	}
	if len(r.Strengths) > 0 {
		sections = append(sections, strengths(r), stops(r))
	}
	for _, b := range r.Breakdowns {
		sections = append(sections, breakdown(b))
	}
	return sections
}

// Summary says in a line what was judged and how.
func Summary(r *judge.Report) string {
	s := fmt.Sprintf("%d images in %d works, %d likes and %d dislikes; %s", r.Examples, r.Groups, r.Likes, r.Dislikes, r.Kind)
	if r.Strength > 0 {
		s += fmt.Sprintf(" with C = %g, %d iterations", r.Strength, r.Iterations)
	}
	return s + fmt.Sprintf("; %s calibration; judged on %d × %d folds held out", r.Calibration, r.Repeats, r.Folds)
}

func metrics(r *judge.Report) Section {
	return Section{Title: "Held out", Note: Summary(r) + ".", Rows: metricRows(r.Metrics)}
}

func metricRows(metrics []judge.Metric) [][]string {
	rows := [][]string{{"METRIC", "VALUE", "95 % INTERVAL"}}
	for _, m := range metrics {
		within := ""
		if m.Low != nil && m.High != nil {
			within = interval(*m.Low, *m.High)
		}
		rows = append(rows, []string{labels[m.Name], number(m.Value), within})
	}
	return rows
}

func confusion(r *judge.Report) Section {
	c := r.Confusion
	return Section{
		Title: "Decisions",
		Note:  fmt.Sprintf("At the threshold for %s: a chance of %s.%s", r.Threshold.ThresholdRule, number(r.Threshold.Probability), counted(r)),
		Rows: [][]string{
			{"", "TAKEN AS LIKED", "TAKEN AS DISLIKED"},
			{"liked", fmt.Sprint(c.TrueLikes), fmt.Sprint(c.FalseDislikes)},
			{"disliked", fmt.Sprint(c.FalseLikes), fmt.Sprint(c.TrueDislikes)},
		},
	}
}

// binsOfCalibration are as many as there are tenths of a chance.
const binsOfCalibration = 10

// calibration is the table behind the plot; there is none without predictions.
func calibration(r *judge.Report) (Section, bool) {
	probabilities, liked := outOfFold(r)
	bins, err := judge.Reliability(probabilities, liked, binsOfCalibration)
	if err != nil || len(bins) == 0 {
		return Section{}, false
	}
	s := Section{Title: "Calibration", Note: "Where the chance is right, as large a share is liked as was predicted.", Rows: [][]string{{"PREDICTED", "LIKED", "PICTURES"}}}
	for _, b := range bins {
		s.Rows = append(s.Rows, []string{number(b.Probability), number(b.Likes), fmt.Sprint(b.Images)})
	}
	return s, true
}

// counted says why there are fewer decisions than images.
func counted(r *judge.Report) string {
	if r.Works == 0 || r.Works == r.Examples {
		return ""
	}
	return fmt.Sprintf(" These are the %d works: the other %d of the %d images show a work that another one shows, with the same verdict, and count once with it.",
		r.Works, r.Examples-r.Works, r.Examples)
}

// choice says what was tried. Its note is the conclusion.
func choice(r *judge.Report) Section {
	s := Section{Title: "Ways to learn", Note: r.Conclusion, Rows: [][]string{{"KIND", "ROC-AUC"}}}
	for _, c := range r.Choice.Candidates {
		kind := c.Kind
		if kind == r.Choice.Kind {
			kind += " *"
		}
		s.Rows = append(s.Rows, []string{kind, number(c.AUC)})
	}
	return s
}

func baselines(r *judge.Report) Section {
	s := Section{Title: "Beside it", Note: "The same folds; the difference is the AUC of " + r.Kind + " less that of the other, tested in pairs (DeLong).",
		Rows: [][]string{{"KIND", "ROC-AUC", "AVERAGE PRECISION", "BALANCED ACCURACY", "LOG-LOSS", "DIFFERENCE", "95 % INTERVAL", "P"}}}
	row := func(kind string, metrics []judge.Metric) []string {
		values := make(map[string]string)
		for _, m := range metrics {
			values[m.Name] = number(m.Value)
		}
		return []string{kind, values["auc"], values["average_precision"], values["balanced_accuracy"], values["log_loss"]}
	}
	s.Rows = append(s.Rows, row(r.Kind, r.Metrics))
	for _, b := range r.Baselines {
		d := b.Difference
		s.Rows = append(s.Rows, append(row(b.Kind, b.Metrics), fmt.Sprintf("%+.3f", d.AUC), interval(d.Low, d.High), p(d.P)))
	}
	if r.Choice == nil && r.Conclusion != "" {
		s.Note += " " + r.Conclusion
	}
	return s
}

func strengths(r *judge.Report) Section {
	s := Section{Title: "Regularisation", Note: "Mean held-out loss over the folds; the least is chosen.", Rows: [][]string{{"C", "LOSS"}}}
	for _, l := range r.Strengths {
		chosen := number(l.Loss)
		if l.Strength == r.Strength {
			chosen += " *"
		}
		s.Rows = append(s.Rows, []string{fmt.Sprintf("%g", l.Strength), chosen})
	}
	return s
}

func stops(r *judge.Report) Section {
	s := Section{Title: "Early stopping", Note: "The gain is what stopping there saves in held-out loss against going on to convergence.",
		Rows: [][]string{{"FOLD", "STOPPED AT", "RAN", "LOSS", "CONVERGED AT", "LOSS THERE", "GAIN"}}}
	for _, f := range r.Stops {
		s.Rows = append(s.Rows, []string{fmt.Sprint(f.Fold + 1), fmt.Sprint(f.Iteration), fmt.Sprint(f.Ran), fmt.Sprintf("%.4f", f.Loss),
			fmt.Sprint(f.ConvergedAt), fmt.Sprintf("%.4f", f.LossAtConvergence), fmt.Sprintf("%+.4f", f.Gain)})
	}
	return s
}

func breakdown(b judge.Breakdown) Section {
	s := Section{
		Title: "By " + b.By,
		Note:  fmt.Sprintf("Knowing nothing but the %s would reach an AUC of %s.", b.By, number(b.AlikeAUC)),
		Rows:  [][]string{{"", "WORKS", "LIKES", "MEAN CHANCE", "RIGHT"}},
	}
	if b.WithinPairs > 0 {
		s.Note += fmt.Sprintf(" On the %d pairs within one %s the AUC is %s %s.", b.WithinPairs, b.By, number(b.WithinAUC), interval(b.WithinLow, b.WithinHigh))
	}
	for i, g := range b.Groups {
		if i == maxShares {
			s.Note += fmt.Sprintf(" The %d largest of %d are listed.", maxShares, len(b.Groups))
			break
		}
		s.Rows = append(s.Rows, []string{g.Name, fmt.Sprint(g.Works), fmt.Sprint(g.Likes), number(g.MeanProbability), number(g.Right)})
	}
	return s
}

func number(v float64) string { return fmt.Sprintf("%.3f", v) }

func interval(low, high float64) string { return fmt.Sprintf("[%.3f, %.3f]", low, high) }

func p(v float64) string {
	if v < .001 {
		return "< 0.001"
	}
	return number(v)
}
