package show

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/demo"
	"github.com/palate-art/palate/internal/doctor"
	"github.com/palate-art/palate/internal/terminal"
	"github.com/palate-art/palate/internal/tuning"
)

// Diagnosis shows what a look at everything found, of a collection in folder.
func Diagnosis(t *terminal.Terminal, d doctor.Diagnosis, folder string) error {
	return t.Show(d, func() { sayDiagnosis(t, d, folder) })
}

func sayDiagnosis(t *terminal.Terminal, d doctor.Diagnosis, folder string) {
	t.Say("%s", d.Head())
	rows := [][]string{{"SOURCE", "ANSWER", "WHERE"}}
	for _, a := range d.Runtime.Sources {
		rows = append(rows, []string{a.Source, terminal.Shorten(cmp.Or(a.Reason, "found"), 70), terminal.Shorten(a.Where, 70)})
	}
	t.Table(rows...)
	t.Say("")
	rows = [][]string{{"EXECUTION PROVIDER", "USABLE", "WHY NOT"}}
	for _, p := range d.Runtime.Providers {
		rows = append(rows, []string{p.Name, terminal.YesNo(p.Available), p.Why})
	}
	t.Table(rows...)
	t.Say("")
	rows = [][]string{{"MODEL", "SIZE", "STATE", "WHERE"}}
	for _, m := range d.Models.Here {
		rows = append(rows, []string{m.Name, terminal.Bytes(m.Bytes), m.StateText(), cmp.Or(m.File, m.Source)})
	}
	t.Table(rows...)
	t.Say("")
	hub := d.Models.Endpoint
	if d.Models.Offline {
		hub += " (offline)"
	}
	t.Say("Models read  %s; of .onnx, .safetensors, .pth and .bin files", strings.Join(d.Models.Families, ", "))
	t.Say("Model hub    %s, its cache is %s", hub, d.Models.HubCache)
	if m := d.Model; m != nil {
		t.Say("Model        %s (%.12s), %d values on %s", m.Name, m.ID, m.Dim, m.Provider)
		if m.Advice != "" {
			t.Say("             %s", m.Advice)
		}
	}
	if c := d.Collection; c != nil {
		t.SayAll(c.Words())
	} else {
		t.Say("Collection   none in %s yet", folder)
	}
	for _, problem := range d.Problems {
		t.Say("\n%s  %s", t.Alarm("PROBLEM"), problem)
	}
	if len(d.Problems) == 0 {
		t.Say("\nNothing is wrong with what was looked at: %s.", d.Looked())
	}
}

// Demo shows how the demo went.
func Demo(t *terminal.Terminal, r demo.Report) error {
	return t.Show(r, func() {
		t.SayAll(r.Words())
		t.Say("What the visitor would like best:")
		rows := [][]string{{"", "CHANCE", "STYLE", "LIKES IT", "RATED", "TITLE", "ARTIST"}}
		for i, top := range r.Top {
			rows = append(rows, []string{fmt.Sprint(i + 1), fmt.Sprintf("%.0f %%", 100*top.Probability), top.Style,
				terminal.YesNo(top.Likes), terminal.YesNo(top.Rated), terminal.Shorten(top.Title, 40), terminal.Shorten(top.Artist, 24)})
		}
		t.Table(rows...)
		t.Say("")
		t.Say("%s", r.TimeWords())
	})
}

// Index shows what an index of a model's embeddings holds; failed says that it
// could not answer.
func Index(t *terminal.Terminal, status collection.IndexStatus, model palate.ModelID, failed bool) {
	t.Say("Index        %s, of %s (%s)", status.Index, status.Model, model.Short())
	t.Say("Catalog      %d embeddings, change %d", status.Embeddings, status.LastChange)
	if failed {
		return
	}
	t.Say("Index holds  %d points, up to change %d", status.Points, status.Change)
	if status.Server == nil {
		return
	}
	t.Say("Server       Qdrant %s at %s", status.Server.Version, status.Server.Server)
	if status.Server.Warning != "" {
		t.Say("             %s", status.Server.Warning)
	}
	rows := [][]string{{"COLLECTION", "POINTS", "IN GRAPHS", "STATE", "SERVES"}}
	for _, c := range status.Server.Collections {
		serves := ""
		switch {
		case c.Serves:
			serves = "this model"
		case c.Current:
			serves = "by the bare name"
		}
		rows = append(rows, []string{c.Name, fmt.Sprint(c.Points), fmt.Sprint(c.Indexed), c.State, serves})
	}
	t.Table(rows...)
}

// CollectionModels lists what the embeddings of a collection in folder are by.
func CollectionModels(t *terminal.Terminal, entries []collection.ModelEntry, folder string) {
	if len(entries) == 0 {
		return
	}
	t.Say("\nEmbeddings of the collection in %s:", folder)
	terminal.Rows(t, entries, "", []string{"ID", "MODEL", "SIZE", "FIT", "IMAGES", "STATE", "PICTURES ARE READ BY"}, func(e collection.ModelEntry) []string {
		size := ""
		if e.Settings.Size > 0 {
			size = fmt.Sprint(e.Settings.Size)
		}
		return []string{e.Model.Short(), e.Name, size, string(e.Settings.Fit), fmt.Sprint(e.Embedded), string(e.State), fmt.Sprintf("%s (%s)", e.Rules, e.About)}
	})
}

// Tuning shows what came of a training of a model's weights.
func Tuning(t *terminal.Terminal, r tuning.Result) error {
	return t.Show(r, func() { sayTuning(t, r) })
}

func sayTuning(t *terminal.Terminal, r tuning.Result) {
	t.Say("Trained on %d likes and %d dislikes of %s, judged on %d and %d that were held back, in %s.", r.Likes, r.Dislikes, r.Profile, r.HeldLikes, r.HeldDislikes,
		terminal.About(time.Duration(r.Seconds*float64(time.Second))))
	if r.Unreadable > 0 {
		t.Say("%d rated pictures could not be read and were left out.", r.Unreadable)
	}
	t.Table([]string{"", "EPOCH", "BALANCED ACCURACY", "LOSS"},
		[]string{"probe", "0", fmt.Sprintf("%.3f", r.Begun.BalancedAccuracy), fmt.Sprintf("%.3f", r.Begun.HeldLoss)},
		[]string{"best", fmt.Sprint(r.Best.Number), fmt.Sprintf("%.3f", r.Best.BalancedAccuracy), fmt.Sprintf("%.3f", r.Best.HeldLoss)})
	t.Say("The loss of every epoch is drawn in %s.", r.Curves)
	if r.Model == "" {
		t.Say("No epoch was better than the probe on the works that were held back: no model was made, and the probe goes on.")
		return
	}
	t.Say("The model %s was made (%s); its head is probe %d of %s. The held-out figures above chose the epoch, so they flatter it.", r.Model, r.ModelID.Short(), r.Head, r.Profile)
	t.Say("Nothing that serves was changed. Embed the collection with it: palate embed --model %s, rate more, and let ratings that neither has seen decide: palate finetune takeover %s", r.Model, r.Model)
}
