package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
)

// modelCommand is about models, not about a collection.
type modelCommand struct {
	List    modelListCommand    `cmd:"" help:"Show the models that palate knows, and where they are."`
	Show    modelShowCommand    `cmd:"" help:"Show what is known of a model."`
	Pull    modelPullCommand    `cmd:"" help:"Download a model's weights."`
	Add     modelAddCommand     `cmd:"" help:"Add a model of your own from a .safetensors or .onnx file."`
	Verify  modelVerifyCommand  `cmd:"" help:"Read the files of models and hold them against what they must be."`
	Compare modelCompareCommand `cmd:"" help:"Measure how near a precision's embeddings are to those of float32."`
	Forget  modelForgetCommand  `cmd:"" help:"Remove a model's embeddings, and the tastes learned on them, from the collection."`
	Rm      modelRmCommand      `cmd:"" help:"Remove an added model, or forget a pulled one."`
}

// The states of a model.
const (
	stateHere    = "here"
	stateNotHere = "not pulled"
	stateMissing = "missing"
	stateChanged = "changed"
	stateBroken  = "broken"
)

// modelEntry is what list and show print of a model.
type modelEntry struct {
	Name         string                  `json:"name"`
	What         string                  `json:"what"`
	Source       string                  `json:"source"` // built-in, hub or file
	State        string                  `json:"state"`
	Problem      string                  `json:"problem,omitempty"`
	File         string                  `json:"file,omitempty"`
	Bytes        int64                   `json:"bytes,omitempty"`
	SHA256       string                  `json:"sha256,omitempty"`
	Repository   string                  `json:"repository,omitempty"`
	Revision     string                  `json:"revision,omitempty"`
	Licence      models.Licence          `json:"licence,omitzero"`
	Preprocess   *models.Preprocessing   `json:"preprocessing,omitempty"`
	DefaultOn    string                  `json:"default_on,omitempty"`
	Origins      map[string]string       `json:"origins,omitempty"` // published, given or guessed, see models.Record
	Guessed      []string                `json:"guessed,omitempty"`
	Architecture string                  `json:"architecture,omitempty"`
	Collection   []collection.ModelEntry `json:"collection,omitempty"` // its embeddings in the collection of --data
}

func baselineEntry() modelEntry {
	return modelEntry{Name: models.Baseline, What: "colour and texture, by formulas", Source: "built-in", State: stateHere}
}

// knownEntry looks for a known model in the hub's cache; it does not read it.
func knownEntry(store *models.Store, client *hub.Client, k models.Known) modelEntry {
	e := modelEntry{Name: k.Name, What: k.Title, Source: "hub", State: stateNotHere, Bytes: k.Bytes(), SHA256: k.File.SHA256,
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
		e.State, e.File, e.Bytes, e.SHA256 = stateHere, source.File, source.Size, source.SHA256
	case !errors.Is(err, palate.ErrNotFound):
		e.State, e.Problem = stateBroken, err.Error()
	}
	return e
}

// localEntry looks at an added model's file; it does not read it.
func localEntry(r models.Record) modelEntry {
	e := modelEntry{Name: r.Name, What: r.Architecture, Source: "file", State: stateHere, File: r.File, Bytes: r.Size, SHA256: r.SHA256,
		Licence: models.Licence{Name: r.Licence}, Preprocess: r.Preprocessing, Architecture: r.Architecture}
	e.Origins = r.Origins
	info, err := os.Stat(r.File)
	switch {
	case err != nil:
		e.State, e.Problem = stateMissing, err.Error()
	case info.Size() != r.Size:
		e.State, e.Problem = stateChanged, fmt.Sprintf("it has %d bytes, want %d", info.Size(), r.Size)
	default:
		if e.Guessed, err = r.Guesses(); err != nil {
			e.Problem = fmt.Sprintf("an earlier palate guessed what this one won't: %v. Collections that have its embeddings go on; to put it right: palate model add %s %s --replace with what is missing, then palate embed --upgrade", err, r.Name, r.File)
		}
	}
	return e
}

// modelEntries lists all models; records that can't be read are in the error.
func (s *session) modelEntries() ([]modelEntry, error) {
	client, err := s.loader().Hub()
	if err != nil {
		return nil, err
	}
	store := s.loader().Store()
	entries := []modelEntry{baselineEntry()}
	for _, k := range models.KnownModels() {
		entries = append(entries, knownEntry(store, client, k))
	}
	locals, err := store.Locals()
	for _, r := range locals {
		entries = append(entries, localEntry(r))
	}
	return entries, err
}

type modelListCommand struct {
	Here bool `help:"Only those whose files are on this machine."`
}

// Run lists the models.
func (c *modelListCommand) Run(ctx context.Context, s *session) error {
	all, err := s.modelEntries()
	entries := make([]modelEntry, 0, len(all))
	for _, e := range all {
		if !c.Here || e.State == stateHere {
			entries = append(entries, e)
		}
	}
	if s.JSON {
		used, e := s.collectionModelEntries(ctx)
		err = errors.Join(err, e)
		for i := range entries {
			for _, u := range used {
				if u.Settings.Model == entries[i].Name {
					entries[i].Collection = append(entries[i].Collection, u)
				}
			}
		}
		return errors.Join(s.print(entries), err)
	}
	rows := [][]string{{"MODEL", "WHAT", "SIZE", "LICENCE", "STATE", "DEFAULT"}}
	for _, e := range entries {
		on := ""
		if e.DefaultOn != "" {
			on = "on a " + map[string]string{"gpu": "GPU", "cpu": "CPU"}[e.DefaultOn]
		}
		state := e.State
		if len(e.Guessed) > 0 {
			state += ", guessed: " + strings.Join(e.Guessed, " ")
		} else if e.Problem != "" && e.State == stateHere {
			state += ", but guessed: palate model show " + e.Name
		}
		rows = append(rows, []string{e.Name, e.What, byteText(e.Bytes), e.Licence.Name, state, on})
	}
	s.table(rows...)
	err = errors.Join(err, s.sayCollection(ctx))
	if client, err := s.loader().Hub(); err == nil {
		s.say("\nWeights from the hub are in %s, what was added is noted in %s.", client.CacheDir(), s.loader().Store().Folder())
	}
	return err
}

// byteText writes bytes for people.
func byteText(n int64) string {
	switch {
	case n == 0:
		return ""
	case n < 1e6:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

type modelShowCommand struct {
	Name string `arg:"" help:"Name of the model."`
}

// Run shows one model.
func (c *modelShowCommand) Run(s *session) error {
	e, err := s.modelEntry(c.Name)
	if err != nil {
		return err
	}
	if s.JSON {
		return s.print(e)
	}
	line := func(name, value string) {
		if value != "" {
			s.say("%-14s %s", name, value)
		}
	}
	line("Model", e.Name)
	line("What", e.What)
	line("State", e.State)
	line("Problem", e.Problem)
	line("File", e.File)
	line("Size", byteText(e.Bytes))
	line("SHA-256", e.SHA256)
	if e.Repository != "" {
		line("Repository", e.Repository+" at "+e.Revision)
	}
	line("Licence", e.Licence.Text())
	if p := e.Preprocess; p != nil {
		line("Made for", fmt.Sprintf("%d×%d, crop ratio %g, mean %v, deviation %v", p.Size, p.Size, p.CropRatio, p.Mean, p.Std))
	}
	line("Guessed", strings.Join(e.Guessed, ", "))
	if e.State == stateHere && e.Problem == "" && e.Source != "built-in" {
		text, err := s.usedText(e.Name)
		if err != nil {
			return err
		}
		line("Used on a CPU", text)
	}
	if e.State == stateNotHere {
		s.say("\nGet it with: palate model pull %s", e.Name)
	}
	return nil
}

// usedText says how pictures come to a model on a CPU where nothing is asked
// for.
func (s *session) usedText(name string) (string, error) {
	client, err := s.loader().Hub()
	if err != nil {
		return "", err
	}
	weights, err := s.loader().Store().Find(name, client)
	if err != nil {
		return "", err
	}
	d, err := weights.Used(ort.DeviceCPU)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%d×%d, %s", d.Input.Width, d.Input.Height, d.Resample)
	switch {
	case d.Fit == embedder.FitCrop:
		text += fmt.Sprintf(", cut out of the middle of the picture with its shorter side at %d", d.Reading().Short)
	case d.ShortSide != 0:
		text += fmt.Sprintf(", cut out of the middle of the picture stretched to %d×%d", d.ShortSide, d.ShortSide)
	case d.Fit == embedder.FitStretch:
		text += ", the whole picture stretched to that"
	default:
		text += ", fit " + string(d.Fit)
	}
	return text, nil
}

func (s *session) modelEntry(name string) (modelEntry, error) {
	if name == models.Baseline {
		return baselineEntry(), nil
	}
	store := s.loader().Store()
	r, err := store.Local(name)
	if err == nil {
		return localEntry(r), nil
	}
	if !errors.Is(err, palate.ErrNotFound) {
		return modelEntry{}, err
	}
	k, err := models.KnownModel(name)
	if err != nil {
		return modelEntry{}, err
	}
	client, err := s.loader().Hub()
	if err != nil {
		return modelEntry{}, err
	}
	return knownEntry(store, client, k), nil
}

type modelPullCommand struct {
	Names []string `arg:"" name:"name" help:"Names of models, see palate model list."`
}

// Run downloads weights.
func (c *modelPullCommand) Run(ctx context.Context, s *session) error {
	for _, name := range c.Names {
		k, err := models.KnownModel(name)
		if err != nil {
			return err
		}
		source, err := s.loader().Pull(ctx, k)
		if err != nil {
			return err
		}
		if s.JSON {
			client, err := s.loader().Hub()
			if err != nil {
				return err
			}
			if err := s.print(knownEntry(s.loader().Store(), client, k)); err != nil {
				return err
			}
			continue
		}
		s.say("%s is here: %s, SHA-256 %s, %s", k.Name, byteText(source.Size), source.SHA256, source.File)
	}
	return nil
}
