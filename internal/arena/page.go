package arena

import (
	"fmt"
	"strings"

	"github.com/palate-art/palate/internal/report"
)

// Page shows the report: its verdicts, its table, the comparisons, and quality
// against cost.
func (r *Report) Page() report.Page {
	p := report.Page{Title: fmt.Sprintf("Which model, and how to learn, for the taste of %s", r.Profile),
		Summary: fmt.Sprintf("%d likes and %d dislikes of %d works; every figure is of works that had no part in what predicted them", r.Likes, r.Dislikes, r.Works),
		X:       "seconds to learn, without features", Y: "AUC"}
	for _, v := range r.Verdicts {
		p.Warnings = append(p.Warnings, strings.ToUpper(v[:1])+v[1:])
	}
	table := report.Section{Title: "Models and methods", Note: "In brackets 95 % intervals; memory is of the whole process, up to then.",
		Rows: [][]string{{"MODEL", "METHOD", "FOLDS", "AUC", "AVERAGE PRECISION", "BALANCED ACCURACY", "LOG-LOSS", "SECONDS", "PICTURES A SECOND", "MEMORY", "SIZE", ""}}}
	for _, c := range r.Cells {
		row := []string{c.Model, c.Method, fmt.Sprint(len(c.Folds))}
		for _, name := range metricNames {
			text := "–"
			if v, there := c.Metrics[name]; there {
				text = v.String()
			}
			row = append(row, text)
		}
		remark := c.Failed
		if c.Cut {
			remark = "cut by its budget, not ranked"
		}
		table.Rows = append(table.Rows, append(row, fmt.Sprintf("%.1f", c.Seconds), fmt.Sprintf("%.1f", c.PicturesASecond), megabytes(c.MemoryBytes), megabytes(c.ModelBytes), remark))
		if auc, there := c.Metrics["auc"]; there {
			p.Spots = append(p.Spots, report.Spot{Name: c.Model + ", " + c.Method, X: c.Seconds, Y: auc.Value, Low: auc.Low, High: auc.High, Unlike: c.tuned(), NotSignified: c.Cut})
		}
	}
	p.Sections = append(p.Sections, table)
	if len(r.Pairs) > 0 {
		pairs := report.Section{Title: "In pairs", Note: "How much higher the AUC of the first is, on the works of the folds that both were judged on: paired test of DeLong et al., corrected for the number of pairs by Holm.",
			Rows: [][]string{{"FIRST", "SECOND", "WORKS", "DIFFERENCE", "P"}}}
		for _, q := range r.Pairs {
			pairs.Rows = append(pairs.Rows, []string{q.First, q.Second, fmt.Sprint(q.Works), fmt.Sprintf("%+.3f [%+.3f, %+.3f]", q.Difference, q.Low, q.High), strings.TrimPrefix(chance(q.P), "p = ")})
		}
		p.Sections = append(p.Sections, pairs)
	}
	return p
}

func megabytes(n int64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}
