package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/verify"
)

// Subject is what is looked at.
type Subject struct {
	Version string // of the program
	Config  collection.Config
	Loader  *collection.Loader
	// Used are the collection's models, from which one is chosen where none is
	// asked for; nil where there is no collection or they can't be read.
	Used []collection.Used
	// Open opens the collection. It is called only where there is one.
	Open func(context.Context) (*collection.Collection, error)
}

// Diagnosis is what was found. Its keys are promised to programs.
type Diagnosis struct {
	Version    string      `json:"version"`
	Pictures   Pictures    `json:"pictures"`
	Runtime    ort.Report  `json:"runtime"`
	Model      *Model      `json:"model,omitempty"`
	Models     Models      `json:"models"`
	Collection *Collection `json:"collection,omitempty"`
	// Problems are sentences, without bytes that mean something to a terminal.
	Problems []string `json:"problems"`
}

// Model is the model that embeds.
type Model struct {
	Name     string `json:"model"`
	ID       string `json:"model_id"`
	Dim      int    `json:"dim"`
	Provider string `json:"provider"`
	// Advice is what may be done for a better one.
	Advice string `json:"advice,omitempty"`
}

// Models tells which models' files are here, and where they lie.
type Models struct {
	Folder   string                    `json:"folder"`    // what was added
	HubCache string                    `json:"hub_cache"` // weights from the hub
	Endpoint string                    `json:"hub"`
	Offline  bool                      `json:"offline"`
	Here     []collection.KnownOfModel `json:"here"`
	// Families of models whose files can be read, see package vit.
	Families []string `json:"families"`
}

// Collection is the collection.
type Collection struct {
	Folder     string `json:"folder"`
	Images     int    `json:"images"`
	Embedded   int    `json:"embedded"`
	Failed     int    `json:"failed"`
	Tombstones int    `json:"deleted"`
	Damaged    int    `json:"damaged"`   // images that came damaged and are shown as far as they go
	Undecoded  int    `json:"undecoded"` // images of which that is not known yet
	// Files is what came of looking at a sample of the pictures' files.
	Files     *verify.Report         `json:"files,omitempty"`
	Rights    *access.Seen           `json:"rights,omitempty"`
	FreeBytes uint64                 `json:"free_bytes,omitempty"` // on the folder's disk, where that is known
	Index     string                 `json:"index"`                // what was asked, and whether it answered
	Clock     *collection.ClockLooks `json:"clock,omitempty"`
}

// Look looks at everything. What can't be looked at is a problem among the
// others: the diagnosis always comes.
func Look(ctx context.Context, s Subject) Diagnosis {
	d := Diagnosis{Version: s.Version, Problems: []string{}, Pictures: lookAtPictures()}
	d.lookAtModel(ctx, s)
	d.lookAtModels(s)
	// After the model, whose loading may have fetched the runtime.
	d.Runtime = ort.Diagnose(ctx, s.Config.Models.Runtime)
	if d.Runtime.Problem != "" {
		d.problem("runtime: %s", d.Runtime.Problem)
	}
	if hasCollection(s.Config.Folder) { // none yet is no problem
		if err := d.lookAtCollection(ctx, s); err != nil {
			d.problem("collection: %s", palate.Message(err))
		}
	}
	if s.Config.Index != collection.EmbeddedIndex {
		if _, err := collection.ServerConfig(s.Config.Index); err != nil {
			d.problem("index: %s", palate.Message(err))
		}
	}
	for i, problem := range d.Problems {
		d.Problems[i] = readable(problem)
	}
	return d
}

// Looked lists what was looked at, for "nothing is wrong" to say no more.
func (d Diagnosis) Looked() string {
	parts := "ONNX Runtime, the model, the models' files"
	if c := d.Collection; c != nil && c.Files != nil {
		parts += ", " + c.looked()
	}
	return parts
}

func (d *Diagnosis) problem(format string, args ...any) {
	d.Problems = append(d.Problems, fmt.Sprintf(format, args...))
}

func (d *Diagnosis) lookAtModel(ctx context.Context, s Subject) {
	e, err := s.Loader.Load(ctx, s.Used, false)
	if err == nil {
		d.Model = &Model{e.Name(), string(e.Model()), e.Dim(), e.Provider(), e.Advice()}
		err = e.Close()
	}
	if err != nil {
		d.problem("model: %s", palate.Message(err))
	}
}

func (d *Diagnosis) lookAtModels(s Subject) {
	hub := s.Config.Models.Hub
	d.Models = Models{Folder: s.Loader.Store().Folder(), HubCache: hub.CacheDir, Endpoint: hub.Endpoint, Offline: hub.Offline, Here: []collection.KnownOfModel{}, Families: models.Families()}
	entries, err := s.Loader.AboutModels()
	if err != nil {
		d.problem("models: %s", palate.Message(err))
	}
	for _, e := range entries {
		switch e.State {
		case collection.ModelHere:
			d.Models.Here = append(d.Models.Here, e)
			if e.Problem != "" {
				d.problem("model %s: %s", e.Name, e.Problem)
			}
		case collection.ModelNotPulled:
		default:
			d.problem("model %s: %s is %s: %s", e.Name, e.File, e.State, e.Problem)
		}
	}
}

// hasCollection reports whether there is a catalog, or pictures without one.
func hasCollection(folder string) bool {
	for _, part := range []string{collection.CatalogFile, collection.ImagesFolder} {
		if _, err := os.Lstat(filepath.Join(folder, part)); !errors.Is(err, os.ErrNotExist) {
			return true
		}
	}
	return false
}

// readable leaves no byte of a damaged file in a text, which may mean something
// to a terminal. Letters of any script stay.
func readable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
