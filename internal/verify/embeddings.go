package verify

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
)

// dropAtOnce is how many embeddings are removed in one commit.
const dropAtOnce = 500

// embeddings reads what every model made.
func (r *run) embeddings(ctx context.Context) error {
	models, err := r.Catalog.Models(ctx)
	if err != nil {
		return err
	}
	for _, m := range models {
		if err := r.embeddingsOf(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) embeddingsOf(ctx context.Context, m catalog.Model) error {
	var bad []catalog.BadEmbedding
	total, err := r.Catalog.CountEmbeddings(ctx, m.ID)
	if err != nil {
		return err
	}
	before := r.report.Embeddings
	read, err := r.Catalog.InspectEmbeddings(ctx, m.ID, func(b catalog.BadEmbedding) error {
		bad = append(bad, b)
		return nil
	})
	if err != nil {
		return err
	}
	r.report.Embeddings = before + read
	r.progress("embeddings", read, max(total, read))
	mended := ""
	if r.Repair && len(bad) > 0 {
		if err := r.drop(ctx, m.ID, bad); err != nil {
			return err
		}
		mended = "removed: palate embed makes it again"
	}
	for _, b := range bad {
		f := Finding{Damage: EmbeddingDamaged, Image: b.Image, Model: m.ID, Detail: fmt.Sprintf("by %s: %s", m.Name, b.Reason), Mended: mended}
		if b.Loose {
			f.Damage = EmbeddingOrphaned
			if mended != "" {
				f.Mended = "removed: it was of no image"
			}
		} else {
			f.Title = r.titleOf(ctx, b.Image)
		}
		r.report.add(f)
	}
	return r.forgotten(ctx, m)
}

func (r *run) drop(ctx context.Context, m palate.ModelID, bad []catalog.BadEmbedding) error {
	for len(bad) > 0 {
		n := min(len(bad), dropAtOnce)
		ids := make([]palate.ImageID, n)
		for i, b := range bad[:n] {
			ids[i] = b.Image
		}
		if err := r.Catalog.DropEmbeddings(ctx, m, ids); err != nil {
			return err
		}
		bad = bad[n:]
	}
	return nil
}

// mostForgotten is how many forgotten images are counted.
const mostForgotten = 1_000_000

// forgotten looks for images that no run of that model would ever embed.
func (r *run) forgotten(ctx context.Context, m catalog.Model) error {
	ids, err := r.Catalog.Forgotten(ctx, m.ID, mostForgotten)
	if err != nil || len(ids) == 0 {
		return err
	}
	f := Finding{Damage: EmbeddingForgotten, Model: m.ID, Detail: "by " + m.Name}
	if r.Repair {
		if err := r.Catalog.Remember(ctx, m.ID); err != nil {
			return err
		}
		f.Mended = "listed again: palate embed makes it"
	}
	r.report.addMany(f, len(ids), ids[:min(named, len(ids))])
	return nil
}

// indexes holds the indexes that are kept against the embeddings.
func (r *run) indexes(ctx context.Context) error {
	models, err := r.Catalog.Models(ctx)
	if err != nil {
		return err
	}
	left := r.report.Left()
	for _, m := range models {
		n, err := r.Catalog.CountEmbeddings(ctx, m.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if left[EmbeddingDamaged]+left[EmbeddingOrphaned] > 0 {
			r.skip("the index of %s: it takes no damaged embedding, so mend those first (--repair)", m.Name)
			continue
		}
		if err := r.indexOf(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) skip(format string, args ...any) {
	r.report.Skipped = append(r.report.Skipped, fmt.Sprintf(format, args...))
}

func (r *run) indexOf(ctx context.Context, m catalog.Model) (err error) {
	ix, err := r.Index(ctx, m)
	if err != nil {
		r.skip("the index of %s: %s", m.Name, palate.Message(err))
		return ctx.Err()
	}
	if ix.Index == nil {
		return nil
	}
	defer func() { err = errors.Join(err, ix.Close()) }()
	// What is not followed yet is no damage. While another process is at it,
	// or it can't follow, the comparison tells.
	_, following := ix.Follow.CatchUp(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	v, err := r.compare(ctx, ix)
	if errors.Is(err, palate.ErrUnavailable) || err == nil && errors.Is(following, palate.ErrUnavailable) {
		r.skip("the index of %s: %s", m.Name, palate.Message(errors.Join(following, err)))
		return nil
	}
	if err != nil {
		return err
	}
	r.report.Points += v.Points
	r.report.Compared += v.Checked
	mended := ""
	if !v.Clean() && r.Repair {
		if err := ix.Follow.Rebuild(ctx, ingest.Rebuilding{Loaded: func(done, total int) { r.progress("index", done, total) }}); err != nil {
			return err
		}
		again, err := r.compare(ctx, ix)
		if err != nil {
			return err
		}
		if again.Clean() {
			mended = "filled anew from the catalog"
		}
	}
	for _, kind := range []struct {
		damage Damage
		n      int
		images []palate.ImageID
	}{
		{IndexMissing, v.Missing, v.MissingImages},
		{IndexForeign, v.Foreign, v.ForeignImages},
		{IndexDamaged, v.Damaged, v.DamagedImages},
		{IndexOutdated, v.Outdated, v.OutdatedImages},
	} {
		r.report.addMany(Finding{Damage: kind.damage, Model: m.ID, Detail: "in the index of " + m.Name, Mended: mended}, kind.n, kind.images)
	}
	return nil
}

func (r *run) compare(ctx context.Context, ix Index) (ingest.Verification, error) {
	sample := indexSample
	if r.Deep {
		n, err := r.Catalog.CountEmbeddings(ctx, ix.Index.Model())
		if err != nil {
			return ingest.Verification{}, err
		}
		sample = 2*n + 1 // each is drawn
	}
	return ingest.Verify(ctx, r.Catalog, ix.Index, sample, func(done, total int) { r.progress("index", done, total) })
}
