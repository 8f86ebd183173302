package show

import (
	"cmp"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/report"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/internal/terminal"
	"github.com/palate-art/palate/probe/judge"
)

// Outcome tells of a training on a model's embeddings, with the whole report or
// with its head.
func Outcome(t *terminal.Terminal, profile palate.Profile, model string, outcome taste.Outcome, whole bool) error {
	v, r := outcome.Version, outcome.Report
	value := map[string]any{"profile": profile, "version": v.Version, "model": model, "current": v.Current, "reason": v.Reason, "report": r}
	return t.Show(value, func() {
		t.Say("Probe %d of %s on embeddings by %s, from %d likes and %d dislikes, judged on ratings held out:", v.Version, profile, model, r.Likes, r.Dislikes)
		if whole {
			t.Say("")
			Report(t, r)
			t.Say("")
		} else {
			t.Table([]string{"AUC", "AVERAGE PRECISION", "BALANCED ACCURACY"},
				[]string{fmt.Sprintf("%.3f [%.3f, %.3f]", r.AUC, r.AUCLow, r.AUCHigh), fmt.Sprintf("%.3f", r.AveragePrecision), fmt.Sprintf("%.3f", r.BalancedAccuracy)})
			t.Say("%s", cmp.Or(r.Conclusion, "What learned is "+r.Kind+"."))
			warnings(t, r)
		}
		if v.Current {
			t.Say("It serves from now on: %s.", v.Reason)
		} else {
			t.Say("The probe before it goes on serving: %s.", v.Reason)
		}
	})
}

// Version shows one version of a taste with its report; nil is that of a probe
// that was imported, which stayed where it was trained.
func Version(t *terminal.Terminal, profile palate.Profile, version taste.Version, r *judge.Report) {
	t.Say("Version %d of %s, trained %s: %s.", version.Version, profile, version.TrainedAt.Local().Format(time.DateTime), version.Reason)
	if r == nil {
		t.Say("It was imported, with %d likes and %d dislikes behind it; its report stayed where it was trained.", version.Learned.Likes, version.Learned.Dislikes)
		return
	}
	t.Say("")
	Report(t, r)
}

// History lists the versions of a profile's taste.
func History(t *terminal.Terminal, profile palate.Profile, history []collection.ProbeEntry) error {
	none := fmt.Sprintf("%s has no probe yet: rate some images and run palate train.", profile)
	err := terminal.List(t, history, none, []string{"VERSION", "MODEL", "TRAINED", "LIKES", "DISLIKES", "AUC", "KIND", "DATA", "WHY"}, historyRow)
	if len(history) > 0 {
		t.Say("\n* serves, among the probes of its model. An AUC is of the ratings that its version was judged on: two versions are compared on the same ones by palate probe compare.")
	}
	return err
}

func historyRow(p collection.ProbeEntry) []string {
	row := []string{fmt.Sprint(p.Version), p.ModelName, p.TrainedAt.Local().Format(time.DateTime), fmt.Sprint(p.Likes), fmt.Sprint(p.Dislikes), "", p.Kind, "", terminal.Shorten(p.Reason, 60)}
	if p.Current {
		row[0] += " *"
	}
	if p.Judged {
		row[5], row[7] = fmt.Sprintf("%.3f [%.3f, %.3f]", p.AUC, p.AUCLow, p.AUCHigh), terminal.Shorten(p.Data, 9)
	}
	return row
}

// Report shows a report's tables.
func Report(t *terminal.Terminal, r *judge.Report) {
	Sections(t, report.Sections(r))
	warnings(t, r)
}

// Sections shows sections with an empty line between them.
func Sections(t *terminal.Terminal, sections []report.Section) {
	for i, section := range sections {
		if i > 0 {
			t.Say("")
		}
		t.Say("%s", section.Title)
		if section.Note != "" {
			t.Say("%s", section.Note)
		}
		t.Table(section.Rows...)
	}
}

// warnings says what to keep in mind of a report.
func warnings(t *terminal.Terminal, r *judge.Report) {
	for _, w := range r.Warnings {
		t.Say("\nMind: %s.", w)
	}
}

// Questions lists what to judge next.
func Questions(t *terminal.Terminal, profile palate.Profile, questions []collection.Question) error {
	none := fmt.Sprintf("Nothing is left to ask %s about: every embedded picture is judged, or looks like what was. palate embed embeds the rest.", profile)
	return terminal.List(t, questions, none, []string{"WHY", "CHANCE", "IMAGE", "TITLE", "ARTIST"}, func(q collection.Question) []string {
		chance := ""
		if q.Probability != nil {
			chance = terminal.Percent(q.Probability)
		}
		return []string{string(q.Shown)[len("queue:"):], chance, q.Image, terminal.Shorten(q.Title, 40), terminal.Shorten(q.Artist, 24)}
	})
}

// Doubts lists ratings that are likely mistakes.
func Doubts(t *terminal.Terminal, profile palate.Profile, doubts []collection.Doubt) error {
	none := fmt.Sprintf("No rating of %s is in doubt.", profile)
	err := terminal.List(t, doubts, none, []string{"SAID", "CHANCE OF A LIKE", "IMAGE", "TITLE", "ARTIST"}, func(d collection.Doubt) []string {
		return []string{string(d.Said), terminal.Percent(&d.Probability), d.Image, terminal.Shorten(d.Title, 40), terminal.Shorten(d.Artist, 24)}
	})
	if len(doubts) > 0 {
		t.Say("Judge them again with palate rate, if they are mistakes.")
	}
	return err
}

// Why shows what speaks for an image and what against it.
func Why(t *terminal.Terminal, w collection.Why) error {
	return t.Show(w, func() { sayWhy(t, w) })
}

func sayWhy(t *terminal.Terminal, w collection.Why) {
	switch {
	case w.WhyScore == nil:
	case w.Probability != nil:
		t.Say("%s is liked by %s with a chance of %s (probe %d).", w.Image, w.Profile, terminal.Percent(w.Probability), w.Probe)
	default:
		t.Say("%s has no taste yet: %s is ordered by its nearness to what was judged, %+.3f.", w.Profile, w.Image, w.Score)
	}
	t.Say("\nThe nearest that %s liked:", w.Profile)
	nearRows(t, w.Liked)
	t.Say("\nThe nearest that %s disliked:", w.Profile)
	nearRows(t, w.Disliked)
	if w.Heatmap != nil {
		guess := ""
		if !w.Heatmap.Exact {
			guess = ": a guess, for the model does not take the mean of its patches (--pool mean does)"
		}
		t.Say("\nIn %s what raises the score within the picture is red, what lowers it blue%s.", w.Heatmap.File, guess)
	}
}

// Near shows images by their nearness.
func Near(t *terminal.Terminal, near []collection.Near) error {
	return t.Show(near, func() { nearRows(t, near) })
}

func nearRows(t *terminal.Terminal, near []collection.Near) {
	terminal.Rows(t, near, "", []string{"SIMILARITY", "IMAGE", "TITLE", "ARTIST"}, func(n collection.Near) []string {
		return []string{fmt.Sprintf("%.3f", n.Similarity), n.Image, terminal.Shorten(n.Title, 40), terminal.Shorten(n.Artist, 24)}
	})
}

// Scores lists images or files with their scores.
func Scores(t *terminal.Terminal, scored []collection.Scored) error {
	return terminal.List(t, scored, "No image has such a score.", []string{"CHANCE", "SCORE", "IMAGE", "TITLE", "ARTIST"}, func(one collection.Scored) []string {
		return []string{terminal.Percent(one.Probability), fmt.Sprintf("%+.3f", one.Score), one.Image + one.File, terminal.Shorten(one.Title, 40), terminal.Shorten(one.Artist, 24)}
	})
}

// Rated says what was said of an image.
func Rated(t *terminal.Terminal, r collection.Rated) error {
	name := r.Image.String()
	if r.Title != "" {
		name += fmt.Sprintf(" (%s)", r.Title)
	}
	said := string(r.Verdict)
	switch {
	case said == "":
		said = "unrated"
	case r.Stars == 1:
		said += ", 1 star"
	case r.Stars > 1:
		said += fmt.Sprintf(", %d stars", r.Stars)
	}
	switch {
	case r.Undone != "":
		return t.Done(r, "%s: %s undone; now %s", name, r.Undone, said)
	case r.Back:
		return t.Done(r, "%s: taking back undone; now %s", name, said)
	}
	return t.Done(r, "%s: %s", name, said)
}

// Sorted says where a file was sorted to.
func Sorted(t *terminal.Terminal, one collection.Sorted) error {
	if one.Error != "" {
		return t.Done(one, "  passed by  %s", one.Error)
	}
	return t.Done(one, "%9.1f %%  %-8s  %s", 100*one.Probability, one.Pile, one.To)
}
