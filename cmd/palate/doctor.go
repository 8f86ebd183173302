package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/verify"
)

type doctorCommand struct{}

// diagnosis is what doctor found.
type diagnosis struct {
	Version    string               `json:"version"`
	Pictures   picturesDiagnosis    `json:"pictures"`
	Runtime    ort.Report           `json:"runtime"`
	Model      *modelDiagnosis      `json:"model,omitempty"`
	Models     modelsDiagnosis      `json:"models"`
	Collection *collectionDiagnosis `json:"collection,omitempty"`
	Problems   []string             `json:"problems"`
}

// picturesDiagnosis tells which kinds of files are read.
type picturesDiagnosis struct {
	Read     []string          `json:"read"`
	Decoders []picture.Decoder `json:"decoders"` // of others, in a process of their own
}

type modelDiagnosis struct {
	Name     string `json:"model"`
	ID       string `json:"model_id"`
	Dim      int    `json:"dim"`
	Provider string `json:"provider"`
	// Advice is what may be done for a better one.
	Advice string `json:"advice,omitempty"`
}

// modelsDiagnosis tells which models' files are here, and where they lie.
type modelsDiagnosis struct {
	Folder   string       `json:"folder"`    // what was added
	HubCache string       `json:"hub_cache"` // weights from the hub
	Endpoint string       `json:"hub"`
	Offline  bool         `json:"offline"`
	Here     []modelEntry `json:"here"`
}

type collectionDiagnosis struct {
	Folder     string `json:"folder"`
	Images     int    `json:"images"`
	Embedded   int    `json:"embedded"`
	Failed     int    `json:"failed"`
	Tombstones int    `json:"deleted"`
	// Files is what came of looking at a sample of the pictures' files.
	Files     *verify.Report         `json:"files,omitempty"`
	Rights    *access.Seen           `json:"rights,omitempty"`
	FreeBytes uint64                 `json:"free_bytes,omitempty"` // on the folder's disk, where that is known
	Index     string                 `json:"index"`                // what was asked, and whether it answered
	Clock     *collection.ClockLooks `json:"clock,omitempty"`
}

// Run looks at everything and fails if anything is wrong.
func (c *doctorCommand) Run(ctx context.Context, s *session) error {
	d := diagnosis{Version: version(), Problems: []string{}, Pictures: picturesDiagnosis{picture.Formats(), picture.ForeignDecoders()}}
	c.look(ctx, s, &d)
	if s.IndexAddress != collection.EmbeddedIndex {
		if _, err := collection.ServerConfig(s.IndexAddress); err != nil {
			d.Problems = append(d.Problems, "index: "+palate.Message(err))
		}
	}
	for i, problem := range d.Problems {
		d.Problems[i] = readable(problem)
	}
	if s.JSON {
		if err := s.print(d); err != nil {
			return err
		}
	} else {
		s.printDiagnosis(d)
	}
	if len(d.Problems) > 0 {
		return fmt.Errorf("%d problem(s) found", len(d.Problems))
	}
	return nil
}

func (c *doctorCommand) look(ctx context.Context, s *session, d *diagnosis) {
	used, err := s.collectionModels(ctx)
	if err != nil { // it is told with the collection below
		used = nil
	}
	if e, err := s.loader().Load(ctx, used, false); err != nil {
		d.Problems = append(d.Problems, "model: "+palate.Message(err))
	} else {
		d.Model = &modelDiagnosis{e.Name(), string(e.Model()), e.Dim(), e.Provider(), e.Advice()}
		if err := e.Close(); err != nil {
			d.Problems = append(d.Problems, "model: "+palate.Message(err))
		}
	}
	c.lookAtModels(s, d)
	// After the model, whose loading may have fetched the runtime.
	d.Runtime = ort.Diagnose(ctx, s.runtimeConfig())
	if d.Runtime.Problem != "" {
		d.Problems = append(d.Problems, "runtime: "+d.Runtime.Problem)
	}
	if !s.hasCollection() {
		return // no collection yet is no problem
	}
	if err := c.lookAtCollection(ctx, s, d); err != nil {
		d.Problems = append(d.Problems, "collection: "+palate.Message(err))
	}
}

// hasCollection reports whether there is a catalog, or pictures without one.
func (s *session) hasCollection() bool {
	for _, part := range []string{collection.CatalogFile, "images"} {
		if _, err := os.Lstat(filepath.Join(s.Data, part)); !errors.Is(err, os.ErrNotExist) {
			return true
		}
	}
	return false
}

func (c *doctorCommand) lookAtModels(s *session, d *diagnosis) {
	d.Models.Folder = s.loader().Store().Folder()
	d.Models.Here = []modelEntry{}
	config := s.hubConfig()
	d.Models.HubCache, d.Models.Endpoint, d.Models.Offline = config.CacheDir, config.Endpoint, config.Offline
	entries, err := s.loader().AboutModels()
	if err != nil {
		d.Problems = append(d.Problems, "models: "+palate.Message(err))
	}
	for _, e := range entries {
		switch e.State {
		case collection.ModelHere:
			d.Models.Here = append(d.Models.Here, e)
		case collection.ModelNotPulled:
		default:
			d.Problems = append(d.Problems, fmt.Sprintf("model %s: %s is %s: %s", e.Name, e.File, e.State, e.Problem))
		}
	}
}

func (c *doctorCommand) lookAtCollection(ctx context.Context, s *session, d *diagnosis) error {
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	found := collectionDiagnosis{Folder: s.Data}
	err = func() error {
		if err := h.Store.Ready(ctx); err != nil {
			return err
		}
		var err error
		if found.Images, err = h.Catalog.CountImages(ctx, index.Filter{}); err != nil {
			return err
		}
		tombstones, err := h.Catalog.Tombstones(ctx)
		if err != nil {
			return err
		}
		found.Tombstones = len(tombstones)
		models, err := h.Catalog.Models(ctx)
		if err != nil || d.Model == nil {
			return err
		}
		for _, m := range models {
			if string(m.ID) != d.Model.ID {
				continue
			}
			failures, err := h.Catalog.EmbeddingFailures(ctx, m.ID)
			if err != nil {
				return err
			}
			found.Failed = len(failures)
			found.Embedded, err = h.Catalog.CountEmbeddings(ctx, m.ID)
			return err
		}
		return nil
	}()
	d.Collection = &found
	if err == nil {
		err = d.lookAtCollection(ctx, s, h)
	}
	return errors.Join(err, h.Close())
}

func (s *session) printDiagnosis(d diagnosis) {
	s.say("palate %s on %s\n", d.Version, d.Runtime.Platform)
	if lib := d.Runtime.Library; lib != nil {
		s.say("ONNX Runtime %s (%s): %s", lib.Version, lib.Origin, lib.Path)
	} else {
		s.say("ONNX Runtime: none")
	}
	s.say("pictures read: %s", strings.Join(d.Pictures.Read, ", "))
	for _, decoder := range d.Pictures.Decoders {
		s.say("%s is decoded by %s (%s), in a process of its own", decoder.Format, decoder.By, decoder.Licence)
	}
	rows := [][]string{{"SOURCE", "ANSWER", "WHERE"}}
	for _, a := range d.Runtime.Sources {
		answer := a.Reason
		if answer == "" {
			answer = "found"
		}
		rows = append(rows, []string{a.Source, shorten(answer, 70), shorten(a.Where, 70)})
	}
	s.table(rows...)
	s.say("")
	rows = [][]string{{"EXECUTION PROVIDER", "USABLE", "WHY NOT"}}
	for _, p := range d.Runtime.Providers {
		rows = append(rows, []string{p.Name, yesNo(p.Available), p.Why})
	}
	s.table(rows...)
	s.say("")
	rows = [][]string{{"MODEL", "SIZE", "WHERE"}}
	for _, m := range d.Models.Here {
		where := m.File
		if where == "" {
			where = m.Source
		}
		rows = append(rows, []string{m.Name, byteText(m.Bytes), where})
	}
	s.table(rows...)
	s.say("")
	hub := d.Models.Endpoint
	if d.Models.Offline {
		hub += " (offline)"
	}
	s.say("Model hub    %s, its cache is %s", hub, d.Models.HubCache)
	if m := d.Model; m != nil {
		s.say("Model        %s (%.12s), %d values on %s", m.Name, m.ID, m.Dim, m.Provider)
		if m.Advice != "" {
			s.say("             %s", m.Advice)
		}
	}
	if c := d.Collection; c != nil {
		s.say("Collection   %s: %d images, %d embedded, %d that can't be, %d deleted", c.Folder, c.Images, c.Embedded, c.Failed, c.Tombstones)
		if c.Index != "" {
			s.say("Index        %s", c.Index)
		}
	} else {
		s.say("Collection   none in %s yet", s.Data)
	}
	for _, problem := range d.Problems {
		s.say("\nPROBLEM  %s", problem)
	}
	if len(d.Problems) == 0 {
		s.say("\nNothing is wrong with what was looked at: %s.", d.looked())
	}
}

// looked lists what was looked at.
func (d *diagnosis) looked() string {
	parts := "ONNX Runtime, the model, the models' files"
	if c := d.Collection; c != nil && c.Files != nil {
		parts += ", " + c.looked()
	}
	return parts
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
