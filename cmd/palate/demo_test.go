package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/demo"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// demoOnce runs the demo once for all tests, into a folder that it keeps.
var demoOnce = sync.OnceValues(func() (string, program.Result) {
	folder := filepath.Join(program.SharedFolder, "demo")
	var out, errOut strings.Builder
	code := run(context.Background(), []string{"demo", "--once", "--json", "--keep", "--data", folder,
		"--pictures", fmt.Sprint(program.DemoPictures), "--ratings", fmt.Sprint(program.DemoRated)}, &out, &errOut)
	return folder, program.Result{Code: code, Out: out.String(), Err: errOut.String()}
})

// demoCollection is the folder of the demo's collection, which tests only
// read, or write to under profiles of their own.
func demoCollection(t *testing.T) string {
	t.Helper()
	race.Long(t)
	folder, r := demoOnce()
	if r.Code != exitDone {
		t.Fatalf("palate demo: got exit code %d: %s", r.Code, r.Err)
	}
	return folder
}

func TestTheDemoGivesWhatItPromisesToPrograms(t *testing.T) {
	race.Long(t)
	demoCollection(t)
	_, r := demoOnce()
	reports := program.JSONValues[map[string]any](t, r.Out)
	if len(reports) != 1 {
		t.Fatalf("got %d JSON values, want 1", len(reports))
	}
	number := func(path string) float64 {
		t.Helper()
		var value any = reports[0]
		for name := range strings.SplitSeq(path, ".") {
			object, _ := value.(map[string]any)
			value = object[name]
		}
		n, ok := value.(float64)
		if !ok {
			t.Errorf("%s: got %v, want a number", path, value)
		}
		return n
	}
	for _, name := range []string{"images", "embedded", "indexed", "kept"} {
		if got := number(name); got != program.DemoPictures {
			t.Errorf("%s: got %v, want %d", name, got, program.DemoPictures)
		}
	}
	for _, name := range []string{"model", "provider"} {
		if text, _ := reports[0][name].(string); text == "" {
			t.Errorf("%s: got %v, want a name", name, reports[0][name])
		}
	}
	if number("pages") < 2 || number("seconds") <= 0 {
		t.Errorf("got %v pages in %v s", number("pages"), number("seconds"))
	}
	if low, auc, high := number("probe.auc_low"), number("probe.auc"), number("probe.auc_high"); !(0 < low && low < auc && auc < high && high <= 1) {
		t.Errorf("got AUC %v [%v, %v], want it within its interval", auc, low, high)
	}
	// 8 % of the ratings are flipped, so that even the truth has no more
	// than about .92 on them.
	if auc := number("probe.cv_auc"); auc < .6 || auc > .97 {
		t.Errorf("got a cross-validated AUC of %v on ratings with flips", auc)
	}
	if accuracy := number("probe.balanced_accuracy"); accuracy < .55 || accuracy > .97 {
		t.Errorf("got a balanced accuracy of %v", accuracy)
	}
	if precision := number("neighbors.precision_at_10"); precision < .8 || precision > 1 {
		t.Errorf("got a precision of %v at 10, want .8 or more", precision)
	}
}

// The pictures are crawled and embedded once; every seed is another visitor
// with a profile of its own.
func TestTheProbeLearnsTheTasteOfNineInTenVisitors(t *testing.T) {
	race.Long(t)
	ctx := context.Background()
	session := newSession(&globals{Data: demoCollection(t), Quiet: true, indexFlags: indexFlags{IndexAddress: collection.EmbeddedIndex}, modelFlags: modelFlags{Model: models.Baseline}}, io.Discard, io.Discard)
	h, err := openHome(ctx, session)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	model, err := h.OpenModel(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	styles := museumStyles(t, model, program.DemoPictures)
	good := 0
	for seed := range int64(program.Visitors) {
		visit := demo.Visit{Profile: palate.Profile(fmt.Sprintf("visitor-%d", seed)), Ratings: program.DemoRated, Seed: 1 + seed}
		visited, err := visit.Run(ctx, model, styles)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d likes %v: AUC %.3f on the %d never rated", visit.Seed, visited.Liked, visited.Probe.AUC, visited.Probe.NeverRated)
		if visited.Probe.AUC >= program.WantAUC {
			good++
		}
		if got, want := visited.Probe.NeverRated, program.DemoPictures-program.DemoRated; got != want {
			t.Errorf("seed %d: judged on %d pictures, want the %d never rated", visit.Seed, got, want)
		}
	}
	if good < program.Visitors*9/10 {
		t.Errorf("got AUC of %v or more for %d of %d visitors, want %d", program.WantAUC, good, program.Visitors, program.Visitors*9/10)
	}
}

// museumStyles gives the true style of every image that came from the museum.
// Its accession number tells which work an image is, so nothing is drawn again.
func museumStyles(t *testing.T, h *collection.Model, pictures int) map[palate.ImageID]string {
	t.Helper()
	byNumber := make(map[string]museum.Work)
	for _, work := range program.PlannedWorks(t, pictures) {
		byNumber[work.ExternalID] = work
	}
	page, err := h.Catalog.ListImages(context.Background(), catalog.ImageQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	styles := make(map[palate.ImageID]string)
	for _, image := range page.Images {
		for _, source := range image.Sources {
			if work, there := byNumber[source.ExternalID]; there { // a list's thumbnail does not name its work
				styles[image.ID] = string(work.Style)
			}
		}
		if styles[image.ID] == "" {
			t.Errorf("image %s comes from %v, which names no work of the museum", image.ID, image.Sources)
		}
	}
	return styles
}

func TestTheDemoTellsAPersonWhatItDid(t *testing.T) {
	race.Long(t)
	folder := t.TempDir()
	r := program.RunPalate(t, "demo", "--once", "--pictures", "30", "--ratings", "24", "--data", folder)
	out := r.Out
	if r.Code != exitDone || !strings.Contains(r.Err, "--keep puts it into "+folder) {
		t.Errorf("got exit code %d and %q, want word of --keep", r.Code, r.Err)
	}
	for _, want := range []string{"pages", "30 kept", "baseline on cpu", "30 of 30 images embedded", "rated 24 pictures",
		"AUC", "average precision", "6 pictures never rated", "Neighbours", "STYLE", "Time"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not mention %q:\n%s", want, out)
		}
	}
	if json.Valid([]byte(out)) {
		t.Error("got JSON, which was not asked for")
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) > 0 {
		t.Errorf("without --keep the demo wrote to the collection: %v", left)
	}
}
