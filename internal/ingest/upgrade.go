package ingest

import (
	"context"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/picture"
)

// Former is a model that computes the same function as another but for the
// rules by which it reads pictures: what those read alike has one embedding.
type Former struct {
	Model palate.ModelID
	Rules picture.Rules
}

// EmbedUpgrade is EmbedAll that takes the embedding from the former model
// wherever no rule that differs touches the picture; the report counts these
// as copied. Interrupted anywhere it goes on at the next call.
func (c *Collection) EmbedUpgrade(ctx context.Context, e embedder.Embedder, former Former, config embedder.PipelineConfig, progress func(EmbedReport), waiting func()) (EmbedReport, error) {
	return c.embedAll(ctx, e, &former, config, progress, waiting)
}

// EmbedUpgradeAs is EmbedUpgrade, or without a former model EmbedAll, as the
// work of a job that has begun.
func (c *Collection) EmbedUpgradeAs(ctx context.Context, j *job.Job, e embedder.Embedder, former *Former, config embedder.PipelineConfig) (EmbedReport, error) {
	return c.embedAs(ctx, j, e, former, config, nil, c.untilAll(e.Model(), nil))
}

// copyUntouched gives the images that are left to embed, and how many were
// copied.
func (c *Collection) copyUntouched(ctx context.Context, e embedder.Embedder, former *Former, pending []catalog.Image) ([]catalog.Image, int, error) {
	if former == nil {
		return pending, 0, nil
	}
	ids := make([]palate.ImageID, len(pending))
	for i, image := range pending {
		ids[i] = image.ID
	}
	known, err := c.catalog.EmbeddingsOf(ctx, former.Model, ids)
	if err != nil {
		return nil, 0, err
	}
	same := make(map[palate.ImageID]palate.Embedding, len(known))
	for _, k := range known {
		same[k.ID] = k.Embedding
	}
	var left []catalog.Image
	var waiting []catalog.ImageEmbedding
	copied := 0
	put := func() error {
		err := c.catalog.PutEmbeddings(ctx, e.Model(), waiting)
		copied, waiting = copied+len(waiting), waiting[:0]
		return err
	}
	for _, image := range pending {
		embedding, found := same[image.ID]
		if !found || c.differs(ctx, image.ID, former.Rules, e.Reading()) {
			left = append(left, image)
			continue
		}
		if waiting = append(waiting, catalog.ImageEmbedding{ID: image.ID, Embedding: embedding}); len(waiting) == writeBatch {
			if err := put(); err != nil {
				return nil, copied, err
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, copied, err
		}
	}
	return left, copied, put()
}

// differs reports whether an image may look otherwise by other rules. One that
// can't be read is said to: whoever embeds it will say why.
func (c *Collection) differs(ctx context.Context, id palate.ImageID, from picture.Rules, reading picture.Reading) bool {
	file, err := c.store.Open(ctx, id)
	if err != nil {
		return true
	}
	defer file.Close()
	differs, err := picture.Differs(file, c.limits.stored, from, reading.Rules, reading.Short)
	return err != nil || differs
}
