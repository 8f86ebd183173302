package collection

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/regular"
	"github.com/palate-art/palate/internal/vit"
)

// FileCosine is how near two embeddings of a picture are.
type FileCosine struct {
	File   string  `json:"file"`
	Cosine float64 `json:"cosine"`
}

// Comparison is how near the embeddings of two precisions are.
type Comparison struct {
	Model     string       `json:"model"`
	Precision string       `json:"precision"`
	Provider  string       `json:"provider"`
	Files     []FileCosine `json:"files,omitempty"`
	Pictures  int          `json:"pictures"`
	Min       float64      `json:"min_cosine"`
	Mean      float64      `json:"mean_cosine"`
}

func (c *Comparison) add(name string, cosine float64) {
	if c.Pictures == 0 || cosine < c.Min {
		c.Min = cosine
	}
	c.Mean = (c.Mean*float64(c.Pictures) + cosine) / float64(c.Pictures+1)
	c.Pictures++
	c.Files = append(c.Files, FileCosine{name, cosine})
}

// Text is the comparison in a sentence.
func (c *Comparison) Text() string {
	return fmt.Sprintf("%s of %s on %s against float32 on the CPU: cosine %.6f on average, %.6f at worst, on %d pictures.",
		c.Precision, c.Model, c.Provider, c.Mean, c.Min, c.Pictures)
}

// CompareFiles compares a loaded model with float32 on the CPU on files; those
// that can't be embedded are failed.
func (l *Loader) CompareFiles(ctx context.Context, tested *Loaded, files []string) (result Comparison, failed []error, err error) {
	result = tested.comparison()
	err = l.againstFloat32(ctx, tested, func(float32Model embedder.Embedder) error {
		for _, name := range files {
			cosine, err := l.cosineOfFile(ctx, float32Model, tested, name)
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
	return result, failed, err
}

// comparison is one that has not begun.
func (m *Loaded) comparison() Comparison {
	return Comparison{Model: m.Name(), Precision: string(m.precision), Provider: m.Provider()}
}

// againstFloat32 opens the same model in float32 on the CPU beside the other.
func (l *Loader) againstFloat32(ctx context.Context, tested *Loaded, use func(float32Model embedder.Embedder) error) error {
	other := l.with(func(config *ModelConfig) { config.Precision, config.Device = vit.Float32, ort.DeviceCPU })
	settings := tested.choice.settings
	settings.Numeric = embedder.NumericFloat
	e, _, err := other.run(ctx, chosen(settings), false)
	if err != nil {
		return err
	}
	return errors.Join(use(e), e.Close())
}

// cosineOf compares what two forms of a model make of one picture.
func (l *Loader) cosineOf(ctx context.Context, a, b embedder.Embedder, r io.Reader) (float64, error) {
	terms, err := l.ownPicture(a)
	if err != nil {
		return 0, err
	}
	terms.Reading.Window = nil // the other may see another part of it
	var other embedder.Input
	x, _, err := embedder.EmbedDecoded(ctx, a, func(use func(image.Image) error) error {
		_, err := l.decoding.Decode(ctx, r, terms, func(m *picture.RGB, _ picture.Info) (err error) {
			if other, err = b.Prepare(m); err != nil {
				return err
			}
			return use(m)
		})
		return err
	})
	if err != nil {
		return 0, err
	}
	y, err := b.Embed(ctx, []embedder.Input{other})
	if err != nil {
		return 0, err
	}
	return cosine(x, y[0]), nil
}

func (l *Loader) cosineOfFile(ctx context.Context, a, b embedder.Embedder, name string) (float64, error) {
	file, err := regular.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	c, err := l.cosineOf(ctx, a, b, file)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, ingest.Liftable(err))
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

func (m *Loaded) isInt8() bool { return m.choice.settings.Numeric == embedder.NumericInt8 }

// TellInt8OfFiles measures what int8 costs on the files to be embedded, if the
// model is int8: nobody else has measured it on these weights. It is told even
// to who wants to hear nothing else.
func (l *Loader) TellInt8OfFiles(ctx context.Context, m *Loaded, files []string) error {
	if !m.isInt8() {
		return nil
	}
	result, _, err := l.CompareFiles(ctx, m, files[:min(len(files), int8Pictures)]) // embedding them tells what fails
	if err == nil && result.Pictures > 0 {
		l.tell.Note(result.Text(), true)
	}
	return err
}

// TellInt8 is TellInt8OfFiles on pictures of the collection that are to be
// embedded.
func (m *Model) TellInt8(ctx context.Context) error {
	if !m.Embedder.isInt8() {
		return nil
	}
	missing, err := m.Catalog.Unembedded(ctx, m.Embedder.Model(), int8Pictures)
	if err != nil || len(missing) == 0 {
		return err
	}
	result := m.Embedder.comparison()
	err = m.Loader.againstFloat32(ctx, m.Embedder, func(float32Model embedder.Embedder) error {
		for _, image := range missing {
			file, err := m.Store.Open(ctx, image.ID)
			if err != nil {
				continue // embedding will tell why
			}
			cosine, err := m.Loader.cosineOf(ctx, float32Model, m.Embedder, file)
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
	if err == nil && result.Pictures > 0 {
		m.tell.Note(result.Text(), true)
	}
	return err
}
