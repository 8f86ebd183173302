package qdrant

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// modelDigits of a ModelID are part of names.
const modelDigits = 12

// The formats of the payload, part of names: the present one, and the one of
// releases before, which is still read.
const (
	format         = "v2"
	outdatedFormat = "v1"
)

// aliasOf names the collection that serves a model.
func aliasOf(collection string, model palate.ModelID) string {
	return collection + "-" + string(model[:modelDigits]) + "-" + format
}

func outdatedAlias(collection string, model palate.ModelID) string {
	return collection + "-" + string(model[:modelDigits]) + "-" + outdatedFormat
}

// owns reports whether a collection was made for this index's model, in either
// format.
func (x *Index) owns(name string) bool {
	return ofAlias(name, aliasOf(x.config.Collection, x.model)) || ofAlias(name, outdatedAlias(x.config.Collection, x.model))
}

// ofAlias reports whether a collection was made for an alias. Names that
// merely begin like it are somebody else's.
func ofAlias(name, alias string) bool {
	rest, ok := strings.CutPrefix(name, alias+"-")
	return ok && begun.MatchString(rest)
}

var begun = regexp.MustCompile(`^\d{8}t\d{6}-[0-9a-f]{8}$`)

// newCollection names a collection that nobody has made.
func newCollection(alias string) string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // it never fails
	return alias + "-" + time.Now().UTC().Format("20060102t150405") + "-" + hex.EncodeToString(random[:])
}

// Staged implements index.Staged. Only one of a model is under way at a time.
type Staged struct {
	*Index // of the new collection
	serves *Index

	// indexing is the size from which the server builds graphs, in kilobytes,
	// while it was told to build none; 0 when that is over.
	indexing uint64
}

// Generation implements index.Staged.
func (b *Staged) Generation(context.Context) (string, error) { return b.name, nil }

// Close implements index.Index; the client goes with the index that serves.
func (b *Staged) Close() error {
	b.closed.Store(true)
	return nil
}

// Stage implements index.Persistent: it makes a collection, payload indexes
// first, and deletes the ones that killed rebuilds left.
func (x *Index) Stage(ctx context.Context) (index.Staged, error) {
	if err := x.usable(ctx); err != nil {
		return nil, err
	}
	if err := x.checkVersion(ctx); err != nil {
		return nil, err
	}
	aliases, err := x.aliases(ctx)
	if err != nil {
		return nil, err
	}
	if err := x.deleteAllBut(ctx, x.leading(aliases).name); err != nil {
		return nil, err
	}
	name := newCollection(x.name)
	layout := x.layout(name)
	if layout.Metadata, err = x.metadata(ctx); err != nil {
		return nil, err
	}
	if err := x.client.CreateCollection(ctx, layout); err != nil {
		// A repeated call may find what the first one made.
		if err := x.failed(ctx, "create "+name, err); !errors.Is(err, palate.ErrConflict) {
			return nil, err
		}
	}
	info, err := x.info(ctx, name)
	if err != nil {
		return nil, err
	}
	b := &Staged{serves: x, Index: &Index{client: x.client, config: x.config, model: x.model, dim: x.dim, logger: x.logger, name: name,
		present: served{name: name, limits: limitsOf(info)}}}
	if err := b.deferIndexing(ctx, info); err != nil {
		return nil, err
	}
	if err := b.createFieldIndexes(ctx, slices.Sorted(maps.Keys(fields))); err != nil {
		return nil, err
	}
	if err := b.SetPosition(ctx, 0); err != nil {
		return nil, err
	}
	return b, nil
}

// layout is the request for a collection.
func (x *Index) layout(name string) *qdrant.CreateCollection {
	c := x.config
	positive := func(n int) *uint32 {
		if n == 0 {
			return nil
		}
		return proto.Uint32(uint32(n))
	}
	vectors := &qdrant.VectorParams{Size: uint64(x.dim), Distance: qdrant.Distance_Dot}
	if c.OnDisk {
		vectors.OnDisk = proto.Bool(true)
	}
	r := &qdrant.CreateCollection{CollectionName: name, VectorsConfig: qdrant.NewVectorsConfig(vectors),
		ShardNumber: positive(c.Shards), ReplicationFactor: positive(c.Replicas), WriteConsistencyFactor: positive(c.WriteConsistency)}
	if c.HNSWLinks > 0 || c.HNSWBuild > 0 {
		r.HnswConfig = new(qdrant.HnswConfigDiff)
		if c.HNSWLinks > 0 {
			r.HnswConfig.M = proto.Uint64(uint64(c.HNSWLinks))
		}
		if c.HNSWBuild > 0 {
			r.HnswConfig.EfConstruct = proto.Uint64(uint64(c.HNSWBuild))
		}
	}
	// Quantised vectors stay in memory; the originals serve for rescoring.
	switch c.Quantization {
	case ScalarQuantization:
		r.QuantizationConfig = qdrant.NewQuantizationScalar(&qdrant.ScalarQuantization{Type: qdrant.QuantizationType_Int8, AlwaysRam: proto.Bool(true)})
	case BinaryQuantization:
		r.QuantizationConfig = qdrant.NewQuantizationBinary(&qdrant.BinaryQuantization{AlwaysRam: proto.Bool(true)})
	}
	return r
}

// Commit implements index.Staged: the server is told to build graphs, if it was
// not before, aliases move in one call, and the collection
// that served before is deleted. The alias that is the configured name alone
// moves along, unless it names another model's collection that holds more
// points.
func (b *Staged) Commit(ctx context.Context) error {
	x := b.serves
	if err := b.resumeIndexing(ctx); err != nil {
		return err
	}
	aliases, err := x.aliases(ctx)
	if err != nil {
		return err
	}
	moves := []*qdrant.AliasOperations{qdrant.NewAliasCreate(x.name, b.name)}
	takeOver := true
	if present := aliases[x.config.Collection]; present != "" && !x.owns(present) {
		there, err := x.pointsIn(ctx, present)
		if err != nil {
			return err
		}
		here, err := x.pointsIn(ctx, b.name)
		if err != nil {
			return err
		}
		takeOver = here >= there
	}
	if takeOver {
		moves = append(moves, qdrant.NewAliasCreate(x.config.Collection, b.name))
	}
	if err := x.client.UpdateAliases(ctx, moves); err != nil {
		return x.failed(ctx, fmt.Sprintf("let %s serve as %s and %s", b.name, x.name, x.config.Collection), err)
	}
	b.mu.Lock()
	filled := b.present
	b.mu.Unlock()
	x.serve(filled)
	return x.deleteAllBut(ctx, b.name)
}

func (x *Index) pointsIn(ctx context.Context, name string) (uint64, error) {
	info, err := x.info(ctx, name)
	if err != nil {
		return 0, err
	}
	n, err := x.countIn(ctx, served{name: name, limits: limitsOf(info)}, nil)
	if err != nil {
		return 0, x.failed(ctx, "count the points of "+name, err)
	}
	return n, nil
}

// deleteAllBut deletes the model's collections, of either format, except one.
func (x *Index) deleteAllBut(ctx context.Context, kept string) error {
	names, err := x.client.ListCollections(ctx)
	if err != nil {
		return x.failed(ctx, "list collections", err)
	}
	slices.Sort(names)
	for _, name := range names {
		if name == kept || !x.owns(name) {
			continue
		}
		if err := x.client.DeleteCollection(ctx, name); err != nil {
			return x.failed(ctx, "delete "+name, err)
		}
	}
	return nil
}

// Clear implements index.Index: an empty collection serves from now on.
func (x *Index) Clear(ctx context.Context) error {
	b, err := x.Stage(ctx)
	if err != nil {
		return err
	}
	return b.Commit(ctx)
}

// Drop deletes the model's collections, and their aliases with them.
func (x *Index) Drop(ctx context.Context) error {
	if err := x.usable(ctx); err != nil {
		return err
	}
	x.Forget()
	return x.deleteAllBut(ctx, "")
}
