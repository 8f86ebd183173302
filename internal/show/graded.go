package show

import (
	"fmt"
	"strings"

	"github.com/palate-art/palate/internal/terminal"
	"github.com/palate-art/palate/probe"
)

// Graded shows how well grades are told.
func Graded(t *terminal.Terminal, r *probe.GradedReport) error {
	return t.Show(r, func() {
		t.Say("%d pictures of %d works, with %d different grades from %v to %v", r.Pictures, r.Works, r.Grades, r.Lowest, r.Highest)
		t.Say("Spearman's rho %.3f [%.3f, %.3f], of works that were not learned from", r.Rho, r.Low, r.High)
		if r.Low <= 0 {
			t.Say("This is not told from chance: the interval reaches 0.")
		}
		t.Say("\n%.2f s.", r.Seconds)
	})
}

// namedRaters is how many raters are named in a line; --json has all.
const namedRaters = 5

// Raters shows how well raters' grades are told from a few of them.
func Raters(t *terminal.Terminal, r *probe.RatersReport) error {
	return t.Show(r, func() {
		t.Say("%d ratings of %d raters, %d draws", r.Ratings, r.Raters, r.Draws)
		if r.Repeated > 0 {
			t.Say("%d ratings were of a work that the rater had rated already: the mean counts, once", r.Repeated)
		}
		rows := [][]string{{"LEARNED FROM", "RATERS", "MEAN RHO", "INTERVAL"}}
		for _, l := range r.Learned {
			rho, interval := "-", "-"
			if l.Rho != nil {
				rho = fmt.Sprintf("%.3f", *l.Rho)
			}
			if l.Low != nil {
				interval = fmt.Sprintf("[%.3f, %.3f]", *l.Low, *l.High)
			}
			rows = append(rows, []string{fmt.Sprint(l.From), fmt.Sprint(len(l.Judged)), rho, interval})
		}
		t.Table(rows...)
		for _, l := range r.Learned {
			left := func(raters []probe.RaterCount, why string) {
				if len(raters) > 0 {
					t.Say("%d raters are left out at %d: %s: %s", len(raters), l.From, why, raterNames(raters))
				}
			}
			left(l.TooFew, fmt.Sprintf("they rated fewer than %d different works", l.From+probe.FewestJudged))
			left(l.OneFor, "what was to be judged has one grade throughout")
			blind := 0
			for _, rater := range l.Judged {
				blind += rater.Blind
			}
			if blind > 0 {
				t.Say("%d draws at %d had one grade throughout, so that nothing was learned: they count as rho 0", blind, l.From)
			}
		}
		t.Say("\n%.2f s.", r.Seconds)
	})
}

func raterNames(raters []probe.RaterCount) string {
	var names []string
	for _, r := range raters[:min(len(raters), namedRaters)] {
		names = append(names, fmt.Sprintf("%s (%d)", terminal.Shorten(r.Rater, 40), r.Pictures))
	}
	if more := len(raters) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
