package qdrant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// metadataCatalog is where a collection's metadata names the catalog that it
// was filled from.
const metadataCatalog = "palate_catalog"

// marker is a point without a vector that tells how far the collection was
// filled. A snapshot holds it as it was; the metadata of a collection stays as
// it is when a snapshot is restored into it.
var marker = qdrant.NewIDNum(0)

// keyChange is the marker's payload: the number of the last change of the
// catalog that is in the points.
const keyChange = "palate_change"

// served is a collection that answers.
type served struct {
	name     string
	outdated bool // of format 1
	limits   limits

	// strangers are points in it that are not palate's, as far as searches
	// came upon them.
	strangers []*qdrant.PointId
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

// leading gives the collection that the aliases lead to, the one of an earlier
// format if there is no other.
func (x *Index) leading(aliases map[string]string) served {
	if name := aliases[x.name]; name != "" {
		return served{name: name}
	}
	return served{name: aliases[outdatedAlias(x.config.Collection, x.model)], outdated: true}
}

// Generation implements index.Persistent: it is the name of the collection.
func (x *Index) Generation(ctx context.Context) (string, error) {
	if err := x.usable(ctx); err != nil {
		return "", err
	}
	aliases, err := x.aliases(ctx)
	return x.leading(aliases).name, err
}

// State implements index.Persistent.
func (x *Index) State(ctx context.Context) (index.State, error) {
	state, _, err := x.state(ctx)
	return state, err
}

// state comes with what the server allows of the collection.
func (x *Index) state(ctx context.Context) (index.State, limits, error) {
	if err := x.usable(ctx); err != nil {
		return index.State{}, limits{}, err
	}
	for tries := 0; ; tries++ {
		aliases, err := x.aliases(ctx)
		if err != nil {
			return index.State{}, limits{}, err
		}
		state, limits, err := x.stateOf(ctx, x.leading(aliases))
		if errors.Is(err, palate.ErrNotFound) && tries == 0 {
			continue // it was replaced since the aliases were listed
		}
		return state, limits, err
	}
}

func (x *Index) stateOf(ctx context.Context, in served) (index.State, limits, error) {
	state := index.State{Generation: in.name, Outdated: in.outdated && in.name != ""}
	if in.name == "" {
		return state, limits{}, nil
	}
	info, err := x.info(ctx, in.name)
	if err != nil {
		return state, limits{}, err
	}
	allowed := limitsOf(info)
	if in.outdated {
		return state, allowed, nil
	}
	state.Catalog = info.GetConfig().GetMetadata()[metadataCatalog].GetStringValue()
	state.Missing = missingFields(info)
	found, err := x.client.Get(ctx, &qdrant.GetPoints{CollectionName: in.name, Ids: []*qdrant.PointId{marker},
		WithPayload: qdrant.NewWithPayload(true), WithVectors: qdrant.NewWithVectors(false), Timeout: x.serverTimeout(allowed)})
	if err != nil {
		return state, allowed, x.failed(ctx, "read the position of "+in.name, err)
	}
	for _, p := range found {
		if number, ok := p.GetPayload()[keyChange].GetKind().(*qdrant.Value_IntegerValue); ok && number.IntegerValue >= 0 {
			state.Position, state.Placed = uint64(number.IntegerValue), true
		}
	}
	return state, allowed, nil
}

// missingFields says which fields have no payload index of the right kind.
func missingFields(info *qdrant.CollectionInfo) (missing []string) {
	for _, field := range unindexed(info) {
		missing = append(missing, "the payload index of "+field)
	}
	return missing
}

func unindexed(info *qdrant.CollectionInfo) (missing []string) {
	kinds := map[qdrant.FieldType]qdrant.PayloadSchemaType{
		qdrant.FieldType_FieldTypeKeyword: qdrant.PayloadSchemaType_Keyword,
		qdrant.FieldType_FieldTypeInteger: qdrant.PayloadSchemaType_Integer,
	}
	for field, kind := range fields {
		if there, ok := info.GetPayloadSchema()[field]; !ok || there.GetDataType() != kinds[kind] {
			missing = append(missing, field)
		}
	}
	slices.Sort(missing)
	return missing
}

// Repair implements index.Persistent.
func (x *Index) Repair(ctx context.Context) error {
	in, err := x.serving(ctx)
	if err != nil {
		return err
	}
	info, err := x.info(ctx, in.name)
	if err != nil {
		return err
	}
	return x.createFieldIndexes(ctx, unindexed(info))
}

// SetPosition implements index.Persistent.
func (x *Index) SetPosition(ctx context.Context, number uint64) error {
	// The whole point is written, in case that somebody deleted it.
	point := &qdrant.PointStruct{Id: marker, Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{}),
		Payload: map[string]*qdrant.Value{keyChange: qdrant.NewValueInt(int64(number))}}
	return x.update(ctx, "write the position", []*qdrant.PointsUpdateOperation{
		qdrant.NewPointsUpdateUpsert(&qdrant.PointsUpdateOperation_PointStructList{Points: []*qdrant.PointStruct{point}})})
}

// serving gives the collection that is asked and changed, by its own name: an
// alias may lead to another catalog's points a moment after it was looked at,
// a name does not.
func (x *Index) serving(ctx context.Context) (served, error) {
	if err := x.usable(ctx); err != nil {
		return served{}, err
	}
	x.mu.Lock()
	present := x.present
	x.mu.Unlock()
	if present.name != "" {
		return present, nil
	}
	state, allowed, err := x.state(ctx)
	if err != nil {
		return served{}, err
	}
	if state.Generation == "" {
		return served{}, x.unfilled()
	}
	if err := x.accepted(ctx, state); err != nil {
		return served{}, err
	}
	present = served{name: state.Generation, outdated: state.Outdated, limits: allowed}
	x.serve(present)
	return present, nil
}

// accepted asks the owner. Who has another index to ask does that when this one
// is not.
func (x *Index) accepted(ctx context.Context, state index.State) error {
	if x.owner == nil {
		return nil
	}
	err := x.owner.Accept(ctx, state)
	if errors.Is(err, palate.ErrConflict) {
		return fmt.Errorf("qdrant: %w: %w", err, palate.ErrUnavailable)
	}
	return err
}

// serve remembers what serves.
func (x *Index) serve(in served) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.present = in
}

// Forget implements index.Persistent.
func (x *Index) Forget() { x.serve(served{}) }

func (x *Index) unfilled() error {
	return fmt.Errorf("qdrant: %s holds no collection of this model; palate reindex fills one: %w", x.config.server(), palate.ErrUnavailable)
}

func (x *Index) superseded() error {
	return fmt.Errorf("qdrant: the collection at %s is of an earlier release, which is read and not changed; palate reindex fills a new one: %w", x.config.server(), palate.ErrUnavailable)
}

// missed looks closer at the error of a change or a search; again is true if it
// may go another way the second time. What was not found is a point, or the
// whole collection: then another one may serve by now. What was refused may
// break a limit that was set meanwhile.
func (x *Index) missed(ctx context.Context, what string, in served, failure error) (again bool, reason error) {
	if x.tightened(ctx, in, failure) {
		return true, x.failed(ctx, what, failure)
	}
	name, err := in.name, x.failed(ctx, what, failure)
	if !errors.Is(err, palate.ErrNotFound) {
		return false, err
	}
	there, existsErr := x.client.CollectionExists(ctx, name)
	switch {
	case existsErr != nil:
		return false, x.failed(ctx, "look for the collection", existsErr)
	case there:
		return false, err
	case x.name == name: // of a Staged
		return false, x.unfilled()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.present.name == name {
		x.present = served{}
	}
	return true, err
}

// createFieldIndexes makes payload indexes. Those that are there are left alone:
// a server that allows no more than these would refuse to make them again.
func (x *Index) createFieldIndexes(ctx context.Context, missing []string) error {
	for _, field := range missing {
		kind := fields[field]
		err := x.change(ctx, "index the payload field "+field, func(target string) ([]*qdrant.UpdateResult, error) {
			return one(x.client.CreateFieldIndex(ctx, &qdrant.CreateFieldIndexCollection{
				CollectionName: target, Wait: proto.Bool(true), FieldName: field, FieldType: kind.Enum()}))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// metadata of a new collection.
func (x *Index) metadata(ctx context.Context) (map[string]*qdrant.Value, error) {
	if x.owner == nil {
		return nil, nil
	}
	catalog, err := x.owner.Identity(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]*qdrant.Value{metadataCatalog: qdrant.NewValueString(strings.ToValidUTF8(catalog, ""))}, nil
}
