package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/report"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// judged is a thorough report on two clouds that overlap.
func judged(t *testing.T) *judge.Report {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	var examples []probe.Example
	for i := range 70 {
		liked := i%3 == 0
		e := make(palate.Embedding, 12)
		var square float64
		for j := range e {
			v := random.NormFloat64()
			if liked {
				v += .8
			}
			e[j] = float32(v)
			square += v * v
		}
		for j := range e {
			e[j] /= float32(math.Sqrt(square))
		}
		shown := palate.ShownQueueTop
		if i%2 == 0 {
			shown = palate.ShownQueueExplore
		}
		examples = append(examples, probe.Example{Image: palate.ImageID{1, byte(i)}, Embedding: e, Liked: liked, Shown: shown,
			Artist: fmt.Sprintf("<b>Ångström & %d</b>", i%5)})
	}
	c := probe.DefaultConfig().Thorough(examples)
	c.Resamples, c.Repeats = 50, 1
	_, r, err := probe.Train(t.Context(), examples, "0123", c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestThePageNeedsNothingElse(t *testing.T) {
	r := judged(t)
	r.Warnings = append(r.Warnings, `a <script>alert("warning")</script>`)
	var b bytes.Buffer
	if err := report.HTML(&b, `The taste of <me> & "you"`, r); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if got := strings.Count(page, "<svg"); got != 4 {
		t.Errorf("%d plots, want 4: ROC, precision and recall, calibration, learning curve", got)
	}
	for _, bad := range []string{"<script", "<b>Å", "<link", "@import", "<img", "<?xml", "NaN", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	for _, address := range regexp.MustCompile(`(?:src|href)="([^"]*)"|url\(([^)]*)\)`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(address[1]+address[2], "#") {
			t.Errorf("the page loads %q", address[0])
		}
	}
	for _, want := range []string{"ROC-AUC", "Brier", "log-loss", "calibration error", "TAKEN AS LIKED", "nearest neighbours", "prior", "Explored",
		"Learning curve", "Early stopping", "By artist", "95 % INTERVAL", "Ångström"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	var chances []float64
	var liked []bool
	for _, p := range r.OutOfFold {
		chances, liked = append(chances, p.Probability), append(liked, p.Liked)
	}
	bins, err := judge.Reliability(chances, liked, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, bin := range bins {
		if !regexp.MustCompile(fmt.Sprintf(`>%d</text>`, bin.Images)).MatchString(page) {
			t.Errorf("the calibration does not show a bin of %d pictures", bin.Images)
		}
	}
	// Every plot is well-formed.
	for i, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
		decoder := xml.NewDecoder(strings.NewReader(svg))
		paths := 0
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("plot %d: %v", i, err)
			}
			if start, ok := token.(xml.StartElement); ok && start.Name.Local == "path" {
				paths++
			}
		}
		if paths < 10 {
			t.Errorf("plot %d has %d paths", i, paths)
		}
	}
}

// A plot that stands alone marks a threshold, has no ground, and is drawn for the
// dark too.
func TestPlotsAreDrawnAlone(t *testing.T) {
	r := judged(t)
	draw := func(name report.Plot, threshold *float64) string {
		t.Helper()
		var b bytes.Buffer
		if err := report.Draw(&b, name, r, threshold); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := xml.Unmarshal(b.Bytes(), new(struct{})); err != nil {
			t.Errorf("%s is not well-formed: %v", name, err)
		}
		return b.String()
	}
	half, all := .5, 2.
	for _, name := range report.Plots(r) {
		bare := draw(name, nil)
		if !strings.Contains(bare, "prefers-color-scheme:dark") || strings.Contains(bare, `fill="#FFFFFF"`) || strings.Contains(bare, "fill:#FFFFFF") {
			t.Errorf("%s does not follow what shows it", name)
		}
		marked := draw(name, &half) != bare
		if want := name == report.ROC || name == report.PrecisionRecall; marked != want {
			t.Errorf("%s: a threshold is marked: %v, want %v", name, marked, want)
		}
	}
	if draw(report.PrecisionRecall, &all) != draw(report.PrecisionRecall, nil) {
		t.Error("a threshold that nothing reaches has a precision")
	}
	r.LearningCurve = nil
	if err := report.Draw(io.Discard, report.LearningCurve, r, nil); !errors.Is(err, palate.ErrInvalid) || len(report.Plots(r)) != 3 {
		t.Errorf("without a learning curve: %v, and %v are told", err, report.Plots(r))
	}
}

func TestDecisionsAreToldAtEveryHundredth(t *testing.T) {
	r := judged(t)
	decisions, err := report.Decisions(r)
	if err != nil {
		t.Fatal(err)
	}
	if first := decisions[0]; len(decisions) != 101 || first.TrueLikes != r.Likes || first.FalseLikes != r.Dislikes {
		t.Errorf("%d decisions, from a chance of 0 on %+v, want 101 and everything liked", len(decisions), first)
	}
	for i, c := range decisions {
		if c.TrueLikes+c.FalseDislikes != r.Likes || c.FalseLikes+c.TrueDislikes != r.Dislikes || i > 0 && c.TrueLikes > decisions[i-1].TrueLikes {
			t.Errorf("at %d %%: %+v", i, c)
		}
	}
}

func TestSectionsAreTables(t *testing.T) {
	for _, s := range report.Sections(judged(t)) {
		if s.Title == "" || len(s.Rows) < 2 {
			t.Errorf("section %q has %d rows", s.Title, len(s.Rows))
		}
		for i, row := range s.Rows {
			if len(row) > len(s.Rows[0]) {
				t.Errorf("section %q: row %d has %d cells, the header %d", s.Title, i, len(row), len(s.Rows[0]))
			}
		}
	}
}
