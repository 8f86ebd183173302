package ingest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

const (
	// vectorTolerance is how much a stored value may differ, as index.Index
	// promises.
	vectorTolerance = 1e-6
	// namedImages is how many images of a kind a report names.
	namedImages = 20
)

// Verification compares an index with the catalog.
type Verification struct {
	Embeddings int `json:"embeddings"` // in the catalog
	Points     int `json:"points"`     // in the index
	Missing    int `json:"missing"`    // embeddings without a point
	Foreign    int `json:"foreign"`    // points without an embedding
	Checked    int `json:"checked"`    // points whose vector and attributes were read and compared
	Damaged    int `json:"damaged"`    // of these, with another vector
	Outdated   int `json:"outdated"`   // of these, with other attributes

	// The first images of each kind.
	MissingImages  []palate.ImageID `json:"missing_images,omitempty"`
	ForeignImages  []palate.ImageID `json:"foreign_images,omitempty"`
	DamagedImages  []palate.ImageID `json:"damaged_images,omitempty"`
	OutdatedImages []palate.ImageID `json:"outdated_images,omitempty"`
	// ForeignPoints are the first foreign ones that no image has the ID of.
	ForeignPoints []string `json:"foreign_points,omitempty"`
}

// strangerLister is an index that may hold points which no image has the ID of.
type strangerLister interface {
	Strangers(ctx context.Context, limit int) ([]string, error)
}

// Clean reports whether the index holds what the catalog does.
func (v Verification) Clean() bool {
	return v.Missing == 0 && v.Foreign == 0 && v.Damaged == 0 && v.Outdated == 0
}

// Verify looks for every embedding of the index's model in the index, for
// points that the catalog does not know, and compares the vectors and
// attributes of about sample points drawn at random. What the catalog gets
// meanwhile may be told as missing or outdated: let the index catch up before.
// progress, if not nil, is told how many embeddings of how many are looked for.
func Verify(ctx context.Context, c catalog.Catalog, ix index.Index, sample int, progress func(done, total int)) (Verification, error) {
	var v Verification
	fail := func(err error) (Verification, error) { return v, fmt.Errorf("verify the index: %w", err) }
	total, err := c.CountEmbeddings(ctx, ix.Model())
	if err != nil {
		return fail(err)
	}
	share := float64(sample) / float64(max(total, 1))
	var after palate.ImageID
	for {
		page, err := c.ListEmbeddings(ctx, ix.Model(), after, followBatch)
		if err != nil {
			return fail(err)
		}
		if err := v.look(ctx, ix, page); err != nil {
			return fail(err)
		}
		drawn := slices.DeleteFunc(slices.Clone(page), func(catalog.ImageEmbedding) bool { return rand.Float64() >= share })
		if err := v.check(ctx, c, ix, drawn); err != nil {
			return fail(err)
		}
		if v.Embeddings += len(page); progress != nil {
			progress(v.Embeddings, max(v.Embeddings, total))
		}
		if len(page) < followBatch {
			break
		}
		after = page[len(page)-1].ID
	}
	if v.Points, err = ix.Count(ctx, index.Filter{}); err != nil {
		return fail(err)
	}
	v.Foreign = max(0, v.Points-(v.Embeddings-v.Missing))
	if err := v.nameForeign(ctx, c, ix); err != nil {
		return fail(err)
	}
	return v, nil
}

// look counts and names the embeddings of a page that have no point.
func (v *Verification) look(ctx context.Context, ix index.Index, page []catalog.ImageEmbedding) error {
	ids := make([]palate.ImageID, len(page))
	for i, e := range page {
		ids[i] = e.ID
	}
	there, err := ix.Count(ctx, index.Filter{IDs: ids})
	if err != nil || there == len(ids) {
		return err
	}
	v.Missing += len(ids) - there
	if len(v.MissingImages) == namedImages {
		return nil
	}
	points, err := ix.Get(ctx, ids)
	if err != nil {
		return err
	}
	known := make(map[palate.ImageID]bool, len(points))
	for _, p := range points {
		known[p.ID] = true
	}
	for _, id := range ids {
		if !known[id] {
			name(&v.MissingImages, id)
		}
	}
	return nil
}

func name(list *[]palate.ImageID, id palate.ImageID) {
	if len(*list) < namedImages {
		*list = append(*list, id)
	}
}

// check compares points with what the catalog says.
func (v *Verification) check(ctx context.Context, c catalog.Catalog, ix index.Index, drawn []catalog.ImageEmbedding) error {
	ids := make([]palate.ImageID, len(drawn))
	embeddings := make(map[palate.ImageID]palate.Embedding, len(drawn))
	for i, e := range drawn {
		ids[i] = e.ID
		embeddings[e.ID] = e.Embedding
	}
	points, err := ix.Get(ctx, ids)
	if err != nil {
		return err
	}
	attributes, err := c.AttributesOf(ctx, ids)
	if err != nil {
		return err
	}
	for _, p := range points {
		v.Checked++
		if !near(p.Embedding, embeddings[p.ID]) {
			v.Damaged++
			name(&v.DamagedImages, p.ID)
		}
		if !sameAttributes(p.Attributes, attributes[p.ID]) {
			v.Outdated++
			name(&v.OutdatedImages, p.ID)
		}
	}
	return nil
}

func near(a, b palate.Embedding) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x)-float64(y)) <= vectorTolerance })
}

func sameAttributes(a, b index.Attributes) bool {
	return sameSet(a.Artists, b.Artists) && sameSet(a.Licences, b.Licences) && sameSet(a.Sites, b.Sites) &&
		sameSet(a.Categories, b.Categories) && sameSet(a.Years, b.Years) && maps.Equal(a.Verdicts, b.Verdicts)
}

// sameSet compares lists whose order means nothing.
func sameSet[T interface{ ~string | ~int }](a, b []T) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// nameForeign walks through the index for points that the catalog lacks.
func (v *Verification) nameForeign(ctx context.Context, c catalog.Catalog, ix index.Index) error {
	if lister, lists := ix.(strangerLister); lists && v.Foreign > 0 {
		var err error
		if v.ForeignPoints, err = lister.Strangers(ctx, min(v.Foreign, namedImages)); err != nil {
			return err
		}
	}
	var after palate.ImageID
	for len(v.ForeignImages)+len(v.ForeignPoints) < min(v.Foreign, namedImages) {
		ids, err := ix.IDs(ctx, after, followBatch)
		if err != nil {
			return err
		}
		known, err := c.EmbeddingsOf(ctx, ix.Model(), ids)
		if err != nil {
			return err
		}
		of := make(map[palate.ImageID]bool, len(known))
		for _, e := range known {
			of[e.ID] = true
		}
		for _, id := range ids {
			if !of[id] {
				name(&v.ForeignImages, id)
			}
		}
		if len(ids) < followBatch {
			return nil
		}
		after = ids[len(ids)-1]
	}
	return nil
}
