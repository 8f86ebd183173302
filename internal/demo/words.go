package demo

import (
	"fmt"
	"strings"

	"github.com/palate-art/palate/internal/terminal"
)

// Words say what the demo found, a line each, but for the top of the ranking and
// the time.
func (r Report) Words() []string {
	p := r.Probe
	return []string{
		"",
		fmt.Sprintf("The museum   %d pages -> %d candidates -> %d fetched -> %d kept, %d known, lost: %s",
			r.Pages, r.Candidates, r.Fetched, r.Kept, r.Known, terminal.Counts(r.Lost)),
		fmt.Sprintf("The model    %s on %s, %d of %d images embedded at %.0f a second, %d indexed", r.Model, r.Provider, r.Embedded, r.Images, r.ImagesPerSec, r.Indexed),
		fmt.Sprintf("The visitor  likes %s; rated %d pictures (%d likes, %d dislikes), %d of them against the own taste",
			terminal.And(r.Liked), r.Ratings.Likes+r.Ratings.Dislikes, r.Ratings.Likes, r.Ratings.Dislikes, r.Ratings.Flipped),
		fmt.Sprintf("The probe    AUC %.3f [%.3f, %.3f] and average precision %.3f on the %d pictures never rated, against the true taste",
			p.AUC, p.AUCLow, p.AUCHigh, p.AveragePrecision, p.NeverRated),
		fmt.Sprintf("             AUC %.3f [%.3f, %.3f] by cross-validation on the ratings themselves, balanced accuracy %.3f", p.CVAUC, p.CVAUCLow, p.CVAUCHigh, p.BalancedAccuracy),
		fmt.Sprintf("Neighbours   %.0f %% of the nearest %d are of the same style", 100*r.Neighbors.PrecisionAt10, neighbourRank),
		"",
	}
}

// TimeWords say how long the demo and each of its stages took.
func (r Report) TimeWords() string {
	var stages []string
	for _, stage := range r.Stages {
		stages = append(stages, fmt.Sprintf("%s %.1f", stage.Name, stage.Seconds))
	}
	return fmt.Sprintf("Time         %.1f s: %s", r.Seconds, strings.Join(stages, ", "))
}
