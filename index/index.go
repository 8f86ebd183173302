// Package index finds the images whose embeddings lie nearest to a query.
//
// An index is derived from the catalog and can be rebuilt from it. It holds
// the embeddings of one model. The implementations are in the folders below;
// all of them pass index/indextest.
package index

import (
	"context"

	"github.com/palate-art/palate"
)

// Point is one image as an index holds it.
type Point struct {
	ID         palate.ImageID
	Embedding  palate.Embedding
	Attributes Attributes
}

// Attributes are what filters ask about, gathered from all sources of an
// image. The lists hold no duplicates; their order means nothing.
type Attributes struct {
	Artists    []string
	Licences   []string
	Sites      []string
	Categories []string
	Years      []int
	// Verdicts holds the latest verdict of every profile that has judged
	// the image; skips and undone ratings are not in it.
	Verdicts map[palate.Profile]palate.Verdict
}

// Judgement changes what one profile says of one image. An empty Verdict, or
// palate.Skip, takes the profile's earlier verdict away.
type Judgement struct {
	ID      palate.ImageID
	Profile palate.Profile
	Verdict palate.Verdict
	// Standing, if not nil, is what all profiles say of the image after this
	// judgement. Who knows gives it: an implementation that keeps them
	// together need not read them then.
	Standing map[palate.Profile]palate.Verdict
}

// Hit is one answer. Score is the inner product of the query vector and the
// stored embedding.
type Hit struct {
	ID    palate.ImageID
	Score float32
}

// Query asks for the Limit points with the largest inner product with its
// query vector, the best first, after passing over Offset of them. Exactly one of
// Vector, Near and Examples gives the query vector.
type Query struct {
	// Vector is used as it stands, at any length: a probe's weights are
	// not normalised. Zero vectors, NaN and infinities are ErrInvalid.
	Vector []float32
	// Near asks for the neighbours of a stored point, itself left out.
	// ErrNotFound if it is not stored.
	Near *palate.ImageID
	// Examples asks for what lies near the positive and far from the
	// negative examples, the examples themselves left out.
	Examples *Examples

	Filter Filter
	// Threshold, if set, leaves out hits whose score is not above it.
	Threshold *float32
	// Collapse, if not 0, keeps one of every group of near duplicates:
	// going from the best hit down, a hit is left out if the inner product
	// of its embedding with that of a hit kept before it is at least
	// Collapse. It is MinCollapse to MaxCollapse. Offset and Limit count
	// what is kept.
	Collapse float32
	// Limit is 1 to MaxLimit; Offset is 0 to MaxOffset.
	Limit, Offset int
	// After, if set, is the hit behind which the answer goes on, the last of
	// the Offset hits that were given before. An implementation that can
	// begins there instead of counting, so that a deep page costs what the
	// first does and nothing is passed over or given twice when hits before
	// it have gone or come; one that can't, or that collapses, counts.
	After *Hit
}

// The bounds of Query.Limit, Query.Offset and Query.Collapse. Embeddings have
// norms of 1±1e-3, so that a product above MaxCollapse does not even hold for
// every embedding with itself.
const (
	MaxLimit    = 1_000
	MaxOffset   = 10_000
	MinCollapse = .9
	MaxCollapse = .998
)

// Examples are stored points. The query vector is 2·mean(Positive) −
// mean(Negative), or mean(Positive) without negatives (the average strategy
// of Qdrant's recommend). Positive must not be empty; an example that is not
// stored is ErrNotFound. Examples that cancel out to zero may be ErrInvalid.
type Examples struct {
	Positive, Negative []palate.ImageID
}

// Filter passes the points for which every field that is set holds; the zero
// Filter passes all. Within a list field one match is enough. Text is
// compared exactly.
type Filter struct {
	Artists    []string
	Licences   []string
	Sites      []string
	Categories []string
	YearFrom   int // 0 is open; a point without a year does not pass a bound
	YearTo     int // inclusive, 0 is open; one year of the point must lie in both bounds

	// JudgedBy passes what the profile likes or dislikes, NotJudgedBy the
	// rest, LikedBy and DislikedBy one of the two verdicts.
	JudgedBy    palate.Profile
	NotJudgedBy palate.Profile
	LikedBy     palate.Profile
	DislikedBy  palate.Profile

	// IDs, if not nil, passes only these; an empty list passes none.
	IDs []palate.ImageID
	// NotIDs passes all but these.
	NotIDs []palate.ImageID
}

// Index is safe for concurrent use: a search sees each point either before
// or after a concurrent change, never half of it.
type Index interface {
	// Upsert adds points or replaces those of the same ID, attributes and
	// all. An embedding that fails palate.Embedding.Validate for Dim is
	// ErrInvalid, and then no point of the call is written.
	Upsert(ctx context.Context, points []Point) error

	// SetAttributes replaces all attributes of stored points. IDs that are
	// not stored are passed over: they come with their attributes when
	// they are embedded.
	SetAttributes(ctx context.Context, attributes map[palate.ImageID]Attributes) error

	// Judge applies judgements in order. IDs that are not stored are
	// passed over.
	Judge(ctx context.Context, judgements []Judgement) error

	// Delete removes points. IDs that are not stored are passed over.
	Delete(ctx context.Context, ids []palate.ImageID) error

	// Search answers a query. Equal scores come in the order of IDs where
	// the implementation is exact. A query that breaks a rule above is
	// ErrInvalid. No hits is an empty answer, no error.
	Search(ctx context.Context, q Query) ([]Hit, error)

	// SearchBatch answers many queries in fewer passes or messages than as
	// many searches take: in their order, each as Search does. One that fails
	// fails the whole batch, with an error that says which it was where that
	// is known. No queries are no answers.
	SearchBatch(ctx context.Context, queries []Query) ([][]Hit, error)

	// Scores gives the inner products of one vector with the named points,
	// leaving out IDs that are not stored.
	Scores(ctx context.Context, vector []float32, ids []palate.ImageID) (map[palate.ImageID]float32, error)

	// Get returns stored points, embeddings within 1e-6 of what was
	// written, in the order asked, leaving out IDs that are not stored.
	Get(ctx context.Context, ids []palate.ImageID) ([]Point, error)

	// IDs lists up to limit stored points whose IDs follow after, in the
	// order of IDs; fewer than limit mean that these were the last. The
	// zero ID begins the list. A limit below 1 is ErrInvalid.
	IDs(ctx context.Context, after palate.ImageID, limit int) ([]palate.ImageID, error)

	// Count counts the points that pass the filter.
	Count(ctx context.Context, f Filter) (int, error)

	// Clear removes every point: the first step of a rebuild.
	Clear(ctx context.Context) error

	// Model and Dim say whose embeddings these are.
	Model() palate.ModelID
	Dim() int

	// Ready returns nil when the index can answer, else ErrUnavailable
	// with the reason.
	Ready(ctx context.Context) error

	// Close frees what the index holds. Later calls are ErrUnavailable.
	Close() error
}
