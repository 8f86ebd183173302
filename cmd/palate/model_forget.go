package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/picture"
)

type modelForgetCommand struct {
	ID  string `arg:"" help:"ID of the model, or its beginning; see palate model list." name:"id"`
	Yes bool   `help:"Remove what is shown."`
}

// forgotten is what forget prints.
type forgotten struct {
	Model      palate.ModelID `json:"model_id"`
	Name       string         `json:"name"`
	Embeddings int            `json:"embeddings"`
	Serves     palate.ModelID `json:"serves,omitempty"` // from now on
	Done       bool           `json:"done"`
}

// Run removes a model's embeddings and probes from the collection; the model
// itself, its file and all ratings stay.
func (c *modelForgetCommand) Run(ctx context.Context, s *session) error {
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(c.forget(ctx, h), h.close())
}

func (c *modelForgetCommand) forget(ctx context.Context, h *home) error {
	s := h.session
	all, err := h.collectionEntries(ctx)
	if err != nil {
		return err
	}
	var found []collectionEntry
	var left []collectionEntry
	for _, e := range all {
		if c.ID != "" && strings.HasPrefix(string(e.Model), strings.ToLower(c.ID)) {
			found = append(found, e)
		} else if e.State != stateComing {
			left = append(left, e)
		}
	}
	if len(found) != 1 {
		return fmt.Errorf("%d models of this collection have an ID that begins with %q; palate model list shows them: %w", len(found), c.ID, palate.ErrNotFound)
	}
	f := forgotten{Model: found[0].Model, Name: found[0].Name, Embeddings: found[0].Embedded, Done: c.Yes}
	if len(left) > 0 {
		f.Serves = left[len(left)-1].Model
	}
	if c.Yes {
		if _, err = h.catalog.ForgetModel(ctx, f.Model); err == nil {
			err = os.Remove(filepath.Join(s.Data, "index", f.Model.Short()+".flat"))
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
		}
		if err != nil {
			return err
		}
	}
	if s.JSON {
		return s.print(f)
	}
	verb := "would be removed; say --yes to do it"
	if c.Yes {
		verb = "are removed"
	}
	s.say("%d embeddings by %s (%s) and the tastes learned on them %s. Pictures and ratings stay.", f.Embeddings, f.Name, f.Model.Short(), verb)
	if f.Serves != "" {
		s.say("Of this collection then serves model %s.", f.Serves.Short())
	}
	return nil
}

// The states of a collection's model.
const (
	stateServes   = "serves"
	stateComing   = "being filled"
	stateReplaced = "replaced"
	stateBeside   = "beside it"
)

// collectionEntry is a model with embeddings in the collection.
type collectionEntry struct {
	Model    palate.ModelID  `json:"model_id"`
	Name     string          `json:"name"`
	Embedded int             `json:"embedded"`
	State    string          `json:"state"`
	Rules    picture.Rules   `json:"preprocessing"`
	About    string          `json:"preprocessing_about"`
	Settings models.Settings `json:"settings"`
}

// collectionEntries lists them, the one that serves last but for those that
// are being filled.
func (h *home) collectionEntries(ctx context.Context) ([]collectionEntry, error) {
	used, err := usedModels(ctx, h.catalog)
	if err != nil {
		return nil, err
	}
	entries := make([]collectionEntry, len(used))
	for i, u := range used {
		entries[i] = collectionEntry{u.id, u.name, u.embedded, stateBeside, u.settings.Rules, u.settings.Rules.About(), u.settings}
		switch {
		case i == len(used)-1:
			entries[i].State = stateServes
		case u.replaced:
			entries[i].State = stateReplaced
		}
	}
	upgrades, err := h.catalog.Upgrades(ctx)
	if err != nil {
		return nil, err
	}
	all, err := h.catalog.Models(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range upgrades {
		for _, m := range all {
			if m.ID != u.To || !u.FinishedAt.IsZero() {
				continue
			}
			settings, err := h.settingsOf(ctx, m.ID)
			if err != nil {
				return nil, err
			}
			n, err := h.catalog.CountEmbeddings(ctx, m.ID)
			if err != nil {
				return nil, err
			}
			entries = append(entries, collectionEntry{m.ID, m.Name, n, stateComing, settings.Rules, settings.Rules.About(), settings})
		}
	}
	return entries, nil
}

// sayCollection shows what the collection's embeddings are by, under the list
// of models.
func (s *session) sayCollection(ctx context.Context) error {
	entries, err := s.collectionModelEntries(ctx)
	if err != nil || len(entries) == 0 {
		return err
	}
	s.say("\nEmbeddings of the collection in %s:", s.Data)
	rows := [][]string{{"ID", "MODEL", "SIZE", "FIT", "IMAGES", "STATE", "PICTURES ARE READ BY"}}
	for _, e := range entries {
		size := ""
		if e.Settings.Size > 0 {
			size = fmt.Sprint(e.Settings.Size)
		}
		rows = append(rows, []string{e.Model.Short(), e.Name, size, string(e.Settings.Fit), fmt.Sprint(e.Embedded), e.State, fmt.Sprintf("%s (%s)", e.Rules, e.About)})
	}
	s.table(rows...)
	return nil
}

// collectionModelEntries is empty where there is no collection.
func (s *session) collectionModelEntries(ctx context.Context) ([]collectionEntry, error) {
	if _, err := os.Stat(filepath.Join(s.Data, catalogFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return nil, err
	}
	entries, err := h.collectionEntries(ctx)
	return entries, errors.Join(err, h.close())
}
