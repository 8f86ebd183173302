package qdrant

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
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

// format of the payload, part of names.
const format = "v1"

// aliasOf names the collection that serves a model.
func aliasOf(collection string, model palate.ModelID) string {
	return collection + "-" + string(model[:modelDigits]) + "-" + format
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

// aliases gives the collection of every alias on the server.
func (x *Index) aliases(ctx context.Context) (map[string]string, error) {
	list, err := x.client.ListAliases(ctx)
	if err != nil {
		return nil, x.failed(ctx, "list aliases", err)
	}
	aliases := make(map[string]string, len(list))
	for _, a := range list {
		aliases[a.GetAliasName()] = a.GetCollectionName()
	}
	return aliases, nil
}

// Generation implements index.Persistent: it is the name of the collection.
func (x *Index) Generation(ctx context.Context) (string, error) {
	if err := x.usable(ctx); err != nil {
		return "", err
	}
	aliases, err := x.aliases(ctx)
	if err != nil {
		return "", err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.target != aliases[x.name] {
		x.target, x.profiles = aliases[x.name], nil
	}
	return x.target, nil
}

// changing gives the collection that changes go to.
func (x *Index) changing(ctx context.Context) (string, error) {
	x.mu.Lock()
	target := x.target
	x.mu.Unlock()
	if target != "" {
		return target, x.usable(ctx)
	}
	target, err := x.Generation(ctx)
	if err == nil && target == "" {
		err = x.unfilled()
	}
	return target, err
}

func (x *Index) unfilled() error {
	return fmt.Errorf("qdrant: %s holds no collection of this model; palate reindex fills one: %w", x.config.server(), palate.ErrUnavailable)
}

// missed looks closer at an error of a change or a search. What was not found
// is a point, or the whole collection: then another one may serve by now, and
// again is true.
func (x *Index) missed(ctx context.Context, name string, err error) (again bool, reason error) {
	if !errors.Is(err, palate.ErrNotFound) {
		return false, err
	}
	x.mu.Lock()
	if x.target == name && name != x.name {
		x.target, x.profiles = "", nil
	}
	x.mu.Unlock()
	there, existsErr := x.client.CollectionExists(ctx, x.name)
	switch {
	case existsErr != nil:
		return false, x.failed(ctx, "look for the collection", existsErr)
	case !there:
		return false, x.unfilled()
	}
	return true, err
}

// Staged implements index.Staged. Only one of a model is under way at a time.
type Staged struct {
	*Index // of the new collection
	serves *Index
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
	if err := x.deleteAllBut(ctx, aliases[x.name]); err != nil {
		return nil, err
	}
	name := newCollection(x.name)
	if err := x.client.CreateCollection(ctx, x.layout(name)); err != nil {
		// A repeated call may find what the first one made.
		if err := x.failed(ctx, "create "+name, err); !errors.Is(err, palate.ErrConflict) {
			return nil, err
		}
	}
	b := &Staged{serves: x, Index: &Index{client: x.client, config: x.config, model: x.model, dim: x.dim, logger: x.logger, name: name, target: name}}
	for _, field := range []string{keyArtists, keyLicences, keySites, keyCategories} {
		if err := b.createFieldIndex(ctx, field, qdrant.FieldType_FieldTypeKeyword); err != nil {
			return nil, err
		}
	}
	if err := b.createFieldIndex(ctx, keyYears, qdrant.FieldType_FieldTypeInteger); err != nil {
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

func (x *Index) createFieldIndex(ctx context.Context, field string, kind qdrant.FieldType) error {
	return x.change(ctx, "index the payload field "+field, func(target string) ([]*qdrant.UpdateResult, error) {
		return one(x.client.CreateFieldIndex(ctx, &qdrant.CreateFieldIndexCollection{
			CollectionName: target, Wait: proto.Bool(true), FieldName: field, FieldType: kind.Enum()}))
	})
}

// Commit implements index.Staged: aliases move in one call, and the collection
// that served before is deleted. The alias that is the configured name alone
// moves along, unless it names another model's collection that holds more
// points.
func (b *Staged) Commit(ctx context.Context) error {
	x := b.serves
	aliases, err := x.aliases(ctx)
	if err != nil {
		return err
	}
	moves := []*qdrant.AliasOperations{qdrant.NewAliasCreate(x.name, b.name)}
	takeOver := true
	if present := aliases[x.config.Collection]; present != "" && !ofAlias(present, x.name) {
		there, err := x.countIn(ctx, present)
		if err != nil {
			return err
		}
		here, err := x.countIn(ctx, b.name)
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
	x.mu.Lock()
	x.target, x.profiles = b.name, nil
	x.mu.Unlock()
	return x.deleteAllBut(ctx, b.name)
}

func (x *Index) countIn(ctx context.Context, name string) (uint64, error) {
	n, err := x.client.Count(ctx, &qdrant.CountPoints{CollectionName: name, Exact: proto.Bool(true)})
	if err != nil {
		return 0, x.failed(ctx, "count the points of "+name, err)
	}
	return n, nil
}

// deleteAllBut deletes the model's collections except one.
func (x *Index) deleteAllBut(ctx context.Context, kept string) error {
	names, err := x.client.ListCollections(ctx)
	if err != nil {
		return x.failed(ctx, "list collections", err)
	}
	slices.Sort(names)
	for _, name := range names {
		if name == kept || !ofAlias(name, x.name) {
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
	x.mu.Lock()
	x.target, x.profiles = "", nil
	x.mu.Unlock()
	return x.deleteAllBut(ctx, "")
}
