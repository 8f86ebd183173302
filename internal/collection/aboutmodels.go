package collection

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/terminal"
)

// The states of a model (KnownOfModel).
const (
	ModelHere      = "here"
	ModelNotPulled = "not pulled"
	ModelMissing   = "missing"
	ModelChanged   = "changed"
	ModelBroken    = "broken"
)

// KnownOfModel is what can be told of a model without reading its weights.
type KnownOfModel struct {
	Name         string                `json:"name"`
	What         string                `json:"what"`
	Source       string                `json:"source"` // built-in, hub or file
	State        string                `json:"state"`
	Problem      string                `json:"problem,omitempty"`
	File         string                `json:"file,omitempty"`
	Bytes        int64                 `json:"bytes,omitempty"`
	SHA256       string                `json:"sha256,omitempty"`
	Repository   string                `json:"repository,omitempty"`
	Revision     string                `json:"revision,omitempty"`
	Page         string                `json:"page,omitempty"`  // on the hub
	Gated        bool                  `json:"gated,omitempty"` // given only to who has agreed to the licence
	Licence      models.Licence        `json:"licence,omitzero"`
	Preprocess   *models.Preprocessing `json:"preprocessing,omitempty"`
	DefaultOn    string                `json:"default_on,omitempty"`
	Origins      map[string]string     `json:"origins,omitempty"` // published, given or guessed, see models.Record
	Guessed      []string              `json:"guessed,omitempty"`
	Architecture string                `json:"architecture,omitempty"`
	Untrainable  string                `json:"untrainable,omitempty"` // why its weights can't be fine-tuned
	Collection   []ModelEntry          `json:"collection,omitempty"`  // its embeddings in the collection of --data
}

// StateText is the state with what of the model was guessed.
func (e KnownOfModel) StateText() string {
	switch {
	case len(e.Guessed) > 0:
		return e.State + ", guessed: " + strings.Join(e.Guessed, " ")
	case e.Problem != "" && e.State == ModelHere:
		return e.State + ", but guessed: palate model show " + e.Name
	}
	return e.State
}

// AboutBaseline tells of the built-in model.
func AboutBaseline() KnownOfModel {
	return KnownOfModel{Name: models.Baseline, What: "colour and texture, by formulas", Source: "built-in", State: ModelHere,
		Untrainable: "it is made of formulas and has no weights"}
}

// AboutKnown looks for a known model in the hub's cache; it does not read it.
func AboutKnown(store *models.Store, client *hub.Client, k models.Known) KnownOfModel {
	e := KnownOfModel{Name: k.Name, What: k.Title, Source: "hub", State: ModelNotPulled, Bytes: k.Bytes(), SHA256: k.File.SHA256,
		Repository: k.File.Repository, Revision: k.File.Revision, Licence: k.Licence, Preprocess: &k.Preprocessing}
	switch k.Name {
	case models.DefaultOnGPU:
		e.DefaultOn = "gpu"
	case models.DefaultOnCPU:
		e.DefaultOn = "cpu"
	}
	source, err := store.Find(k.Name, client)
	switch {
	case err == nil:
		e.State, e.File, e.Bytes, e.SHA256 = ModelHere, source.File, source.Size, source.SHA256
	case !errors.Is(err, palate.ErrNotFound):
		e.State, e.Problem = ModelBroken, err.Error()
	}
	return e
}

// AboutOffer tells of a model that can be had from the hub and is not here.
func AboutOffer(client *hub.Client, o models.Offer) KnownOfModel {
	return KnownOfModel{Name: o.Name, What: o.Title, Source: "hub", State: ModelNotPulled, Repository: o.Repository,
		Licence: o.Licence, Gated: o.Gated, Page: client.Page(o.Repository)}
}

// AboutLocal looks at an added model's file; it does not read it.
func AboutLocal(r models.Record) KnownOfModel {
	e := KnownOfModel{Name: r.Name, What: r.Architecture, Source: "file", State: ModelHere, File: r.File, Bytes: r.Size, SHA256: r.SHA256,
		Licence: models.Licence{Name: r.Licence, URL: r.LicenceURL}, Preprocess: r.Preprocessing, Architecture: r.Architecture}
	e.Origins = r.Origins
	if r.Kind == models.KindONNX {
		e.Untrainable = "it is an .onnx file, whose weights can't be told from its operators"
	}
	if r.Hub != nil {
		e.Source, e.Repository, e.Revision, e.Page = "hub", r.Hub.Repository, r.Hub.Commit, r.Hub.Page
	}
	info, err := os.Stat(r.File)
	switch {
	case err != nil:
		e.State, e.Problem = ModelMissing, err.Error()
	case info.Size() != r.Size:
		e.State, e.Problem = ModelChanged, fmt.Sprintf("it has %d bytes, want %d", info.Size(), r.Size)
	default:
		if e.Guessed, err = r.Guesses(); err != nil {
			e.Problem = fmt.Sprintf("an earlier palate guessed what this one won't: %v. Collections that have its embeddings go on; to put it right: palate model add %s %s --replace with what is missing, then palate embed --upgrade", err, r.Name, r.File)
		}
	}
	return e
}

// AboutModels tells of every model; records that can't be read are in the error.
func (l *Loader) AboutModels() ([]KnownOfModel, error) {
	client, err := l.Hub()
	if err != nil {
		return nil, err
	}
	entries := []KnownOfModel{AboutBaseline()}
	for _, k := range models.KnownModels() {
		entries = append(entries, AboutKnown(l.Store(), client, k))
	}
	locals, err := l.Store().Locals()
	for _, o := range models.Offers() {
		if !slices.ContainsFunc(locals, func(r models.Record) bool { return r.Name == o.Name }) {
			entries = append(entries, AboutOffer(client, o))
		}
	}
	for _, r := range locals {
		entries = append(entries, AboutLocal(r))
	}
	return entries, err
}

// ModelWords say what is known of a model, a line each, with how pictures come to
// it where its files are here.
func (l *Loader) ModelWords(e KnownOfModel) (lines []string, err error) {
	line := func(name, value string) {
		if value != "" {
			lines = append(lines, fmt.Sprintf("%-14s %s", name, value))
		}
	}
	line("Model", e.Name)
	line("What", e.What)
	line("State", e.State)
	line("Problem", e.Problem)
	line("File", e.File)
	line("Size", terminal.Bytes(e.Bytes))
	line("SHA-256", e.SHA256)
	if e.Repository != "" {
		line("Repository", strings.TrimSuffix(e.Repository+" at "+e.Revision, " at "))
	}
	line("Page", e.Page)
	if e.Gated {
		line("Gated", "its weights are given only to who has agreed to the licence on that page: then set HF_TOKEN to a token of yours")
	}
	line("Licence", e.Licence.Text())
	if p := e.Preprocess; p != nil {
		line("Made for", fmt.Sprintf("%d×%d, crop ratio %g, mean %v, deviation %v", p.Size, p.Size, p.CropRatio, p.Mean, p.Std))
	}
	line("Guessed", strings.Join(e.Guessed, ", "))
	if e.State == ModelHere && e.Problem == "" && e.Source != "built-in" {
		text, err := l.UsedText(e.Name)
		if err != nil {
			return lines, err
		}
		line("Used on a CPU", text)
	}
	if e.State == ModelNotPulled {
		lines = append(lines, "", "Get it with: palate model pull "+e.Name)
	}
	return lines, nil
}
