package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/regular"
	"github.com/palate-art/palate/internal/vit"
)

type modelCompareCommand struct {
	Name  string   `arg:"" help:"Name of the model."`
	Files []string `arg:"" name:"file" help:"Pictures to compare on." type:"path"`
}

// fileCosine is what compare prints of a picture.
type fileCosine struct {
	File   string  `json:"file"`
	Cosine float64 `json:"cosine"`
}

// comparison is how near the embeddings of two precisions are.
type comparison struct {
	Model     string       `json:"model"`
	Precision string       `json:"precision"`
	Provider  string       `json:"provider"`
	Files     []fileCosine `json:"files,omitempty"`
	Pictures  int          `json:"pictures"`
	Min       float64      `json:"min_cosine"`
	Mean      float64      `json:"mean_cosine"`
}

func (c *comparison) add(name string, cosine float64) {
	if c.Pictures == 0 || cosine < c.Min {
		c.Min = cosine
	}
	c.Mean = (c.Mean*float64(c.Pictures) + cosine) / float64(c.Pictures+1)
	c.Pictures++
	c.Files = append(c.Files, fileCosine{name, cosine})
}

// Run embeds the files twice and prints the cosines.
func (c *modelCompareCommand) Run(ctx context.Context, s *session) error {
	if s.Precision == "" || s.Precision == string(vit.Float32) {
		return usagef("say what to compare with float32: --precision int8 or --precision float16")
	}
	s.Model = c.Name
	if c.Name == modelAuto {
		return usagef("name a model, see palate model list")
	}
	tested, err := s.openEmbedder(ctx, nil, true)
	if err != nil {
		return err
	}
	result := comparison{Model: tested.Name(), Precision: s.Precision, Provider: tested.Provider()}
	failed, err := s.compareFiles(ctx, &result, tested, c.Files)
	if err := errors.Join(err, tested.Close()); err != nil {
		return err
	}
	if result.Pictures == 0 {
		return errors.Join(failed...)
	}
	if s.JSON {
		return errors.Join(s.print(result), errors.Join(failed...))
	}
	rows := [][]string{{"COSINE", "PICTURE"}}
	for _, f := range result.Files {
		rows = append(rows, []string{fmt.Sprintf("%.6f", f.Cosine), f.File})
	}
	s.table(rows...)
	s.say("\n%s", result.text())
	return errors.Join(failed...)
}

func (c *comparison) text() string {
	return fmt.Sprintf("%s of %s on %s against float32 on the CPU: cosine %.6f on average, %.6f at worst, on %d pictures.",
		c.Precision, c.Model, c.Provider, c.Mean, c.Min, c.Pictures)
}

// compareFiles compares on files; those that can't be embedded are failed.
func (s *session) compareFiles(ctx context.Context, result *comparison, tested *openedModel, files []string) (failed []error, err error) {
	err = s.againstFloat32(ctx, tested, func(float32Model embedder.Embedder) error {
		for _, name := range files {
			cosine, err := s.cosineOfFile(ctx, float32Model, tested, name)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				failed = append(failed, err)
				continue
			}
			result.add(name, cosine)
		}
		return nil
	})
	return failed, err
}

// againstFloat32 opens the same model in float32 on the CPU beside the other.
func (s *session) againstFloat32(ctx context.Context, tested *openedModel, use func(float32Model embedder.Embedder) error) error {
	rt, err := s.loadRuntime(ctx)
	if err != nil {
		return err
	}
	plain := *s.globals
	plain.Precision, plain.Device = string(vit.Float32), ort.DeviceCPU
	other := &session{globals: &plain, out: s.out, errOut: s.errOut, logger: s.logger, decoding: s.decoding}
	settings := tested.choice.settings
	settings.Numeric = embedder.NumericFloat
	e, _, err := other.open(ctx, rt, settings, ort.Choice{Device: ort.Device{Kind: ort.DeviceCPU}}, onnx.DefaultConfig(), false)
	if err != nil {
		return err
	}
	return errors.Join(use(e), e.Close())
}

// cosineOf compares what two forms of a model make of one picture.
func (s *session) cosineOf(ctx context.Context, a, b embedder.Embedder, r io.Reader) (float64, error) {
	var inputs [2]embedder.Input
	_, err := s.decoding.Decode(ctx, r, ownPicture(a), func(m *picture.RGB, _ picture.Info) error {
		for i, e := range []embedder.Embedder{a, b} {
			var err error
			if inputs[i], err = e.Prepare(m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	x, err := embedInput(ctx, a, inputs[0])
	if err != nil {
		return 0, err
	}
	y, err := embedInput(ctx, b, inputs[1])
	if err != nil {
		return 0, err
	}
	return cosine(x, y), nil
}

func (s *session) cosineOfFile(ctx context.Context, a, b embedder.Embedder, name string) (float64, error) {
	file, err := regular.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	c, err := s.cosineOf(ctx, a, b, file)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// cosine is of two embeddings, whose norms are 1 but for rounding.
func cosine(x, y palate.Embedding) float64 {
	var dot float64
	for i := range x {
		dot += float64(x[i]) * float64(y[i])
	}
	return dot
}

// int8Pictures is on how many pictures int8 is measured before it embeds.
const int8Pictures = 8

func (m *openedModel) isInt8() bool { return m.choice.settings.Numeric == embedder.NumericInt8 }

// tellInt8OfFiles measures what int8 costs on the files to be embedded: nobody
// else has measured it on these weights.
func (s *session) tellInt8OfFiles(ctx context.Context, m *openedModel, files []string) error {
	if !m.isInt8() {
		return nil
	}
	result := comparison{Model: m.Name(), Precision: string(vit.Int8), Provider: m.Provider()}
	_, err := s.compareFiles(ctx, &result, m, files[:min(len(files), int8Pictures)]) // embedding them tells what fails
	if err == nil && result.Pictures > 0 {
		s.tellComparison(&result)
	}
	return err
}

// tellComparison shows it even where progress is not: whoever uses int8 has
// to have seen it.
func (s *session) tellComparison(c *comparison) {
	s.finishProgress()
	fmt.Fprintln(s.errOut, c.text())
}

// tellInt8 is tellInt8OfFiles on pictures of the collection that are to be
// embedded.
func (h *home) tellInt8(ctx context.Context) error {
	if !h.embedder.isInt8() {
		return nil
	}
	missing, err := h.catalog.Unembedded(ctx, h.embedder.Model(), int8Pictures)
	if err != nil || len(missing) == 0 {
		return err
	}
	result := comparison{Model: h.embedder.Name(), Precision: string(vit.Int8), Provider: h.embedder.Provider()}
	err = h.session.againstFloat32(ctx, h.embedder, func(float32Model embedder.Embedder) error {
		for _, image := range missing {
			file, err := h.store.Open(ctx, image.ID)
			if err != nil {
				continue // embedding will tell why
			}
			cosine, err := h.session.cosineOf(ctx, float32Model, h.embedder, file)
			file.Close()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil {
				result.add(image.ID.String(), cosine)
			}
		}
		return nil
	})
	if err != nil || result.Pictures == 0 {
		return err
	}
	h.session.tellComparison(&result)
	return nil
}
