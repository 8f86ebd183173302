package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/regular"
)

type embedCommand struct {
	Files   []string `arg:"" optional:"" name:"file" help:"Pictures to print the embeddings of; they are not added to the collection." type:"path"`
	Retry   bool     `help:"Try images again that could not be embedded before."`
	Upgrade bool     `help:"Bring the collection to the present preprocessing rules (or those of --decode): what they don't touch is copied, the rest embedded anew, the tastes are learned again, and then all switch together. A running server goes on with what it has until then. Interrupted, it goes on at the next call, or by the server."`
}

// Run embeds what is pending, or the named files.
func (c *embedCommand) Run(ctx context.Context, s *session) error {
	if c.Upgrade && (len(c.Files) > 0 || c.Retry) {
		return usagef("--upgrade is about the whole collection: it takes neither files nor --retry")
	}
	if len(c.Files) > 0 {
		return c.printFiles(ctx, s)
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	err = c.embed(ctx, h)
	h.tend(ctx)
	return errors.Join(err, h.close())
}

func (c *embedCommand) embed(ctx context.Context, h *home) error {
	if c.Upgrade {
		return h.upgradeNow(ctx)
	}
	if err := h.openModelToEmbed(ctx); err != nil {
		return err
	}
	if c.Retry {
		if err := h.catalog.ClearEmbeddingFailures(ctx, h.embedder.Model()); err != nil {
			return err
		}
	}
	report, err := h.embedPending(ctx)
	s := h.session
	if s.JSON {
		return errors.Join(err, s.print(report))
	}
	if err != nil {
		return err
	}
	s.say("%d images embedded by %s on %s, %.1f a second; %d could not be embedded", report.Embedded,
		h.embedder.Name(), h.embedder.Provider(), report.ImagesPerSecond, report.Failed)
	if report.Embedded > 0 {
		s.say("%s", boundLine(report))
	}
	for _, failure := range report.Failures {
		s.say("  %s: %s", failure.Image, failure.Reason)
	}
	return nil
}

// boundNames say what a stage does.
var boundNames = map[embedder.Stage]string{
	embedder.StageSource: "finding the next picture", embedder.StageDecode: "decoding", embedder.StagePrepare: "resizing",
	embedder.StageInfer: "inference", embedder.StageDeliver: "writing",
}

// boundLine tells where the time went and which stage the others waited for.
func boundLine(r ingest.EmbedReport) string {
	line := fmt.Sprintf("%.1f s: decoding %.1f, resizing %.1f, inference %.1f, writing %.1f; waiting for pictures %.1f, for inference %.1f (seconds of all workers)",
		r.Seconds, r.DecodeSeconds, r.PrepareSeconds, r.InferSeconds, r.WriteSeconds, r.StarvedSeconds, r.BlockedSeconds)
	if name, ok := boundNames[r.Bound]; ok {
		line += "; bound by " + name
	}
	return line
}

// fileEmbedding is what embed prints of one file.
type fileEmbedding struct {
	File    string           `json:"file"`
	Model   string           `json:"model"`
	ModelID palate.ModelID   `json:"model_id"`
	Vector  palate.Embedding `json:"vector"`
}

func (c *embedCommand) printFiles(ctx context.Context, s *session) error {
	used, err := s.collectionModels(ctx)
	if err != nil {
		return err
	}
	e, err := s.openEmbedder(ctx, used, true)
	if err != nil {
		return err
	}
	e.tell(s)
	if err := s.tellInt8OfFiles(ctx, e, c.Files); err != nil {
		return errors.Join(err, e.Close())
	}
	var errs []error
	for _, name := range c.Files {
		vector, err := s.embedFile(ctx, e, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if s.JSON {
			err = s.print(fileEmbedding{name, e.Name(), e.Model(), vector})
		} else {
			s.say("%s  %d values by %s: %.4f %.4f %.4f …", name, len(vector), e.Name(), vector[0], vector[1], vector[2])
		}
		if err != nil {
			return errors.Join(err, e.Close())
		}
	}
	return errors.Join(errors.Join(errs...), e.Close())
}

// collectionModels are those of the collection, if there is one: embeddings of
// files are to be comparable with it.
func (s *session) collectionModels(ctx context.Context) ([]usedModel, error) {
	if _, err := os.Stat(filepath.Join(s.Data, catalogFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return nil, err
	}
	used, err := usedModels(ctx, h.catalog)
	return used, errors.Join(err, h.close())
}

// embedFile gives the embedding of a picture file.
func (s *session) embedFile(ctx context.Context, e embedder.Embedder, name string) (palate.Embedding, error) {
	file, err := regular.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var input embedder.Input
	_, err = s.decoding.Decode(ctx, file, ownPicture(e), func(m *picture.RGB, _ picture.Info) (err error) {
		input, err = e.Prepare(m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	vector, err := embedInput(ctx, e, input)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return vector, nil
}

// ownPicture are the terms of a file that whoever runs the program named.
func ownPicture(e embedder.Embedder) picture.Terms {
	return picture.Terms{Limits: picture.DefaultLimits(), Reading: e.Reading(), Alone: true}
}

func embedInput(ctx context.Context, e embedder.Embedder, input embedder.Input) (palate.Embedding, error) {
	embeddings, err := e.Embed(ctx, []embedder.Input{input})
	if err != nil {
		return nil, err
	}
	return embeddings[0], nil
}
