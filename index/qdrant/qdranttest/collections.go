package qdranttest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// collection is a map of points. Its fields are guarded by the server's lock.
type collection struct {
	created    *qdrant.CreateCollection
	size       int
	normalises bool // distance Cosine
	points     map[pointID]*point
	indexes    map[string]qdrant.FieldType
	metadata   map[string]*qdrant.Value
	strict     strict
	graphs     graphs
	operations uint64
}

func (c *collection) clone() collection {
	copied := *c
	copied.points, copied.indexes, copied.metadata = maps.Clone(c.points), maps.Clone(c.indexes), maps.Clone(c.metadata)
	return copied
}

func (c *collection) nextOperation() *uint64 {
	c.operations++
	return proto.Uint64(c.operations)
}

func missing(name string) error {
	return status.Errorf(codes.NotFound, "Not found: Collection `%s` doesn't exist!", name)
}

func taken(name string) error {
	return status.Errorf(codes.AlreadyExists, "Wrong input: Collection `%s` already exists!", name)
}

// find gives the collection of a name or an alias; the caller holds the lock.
func (s *Server) find(name string) (*collection, error) {
	if target, ok := s.aliases[name]; ok {
		name = target
	}
	if c, ok := s.collections[name]; ok {
		return c, nil
	}
	return nil, missing(name)
}

type collectionsService struct {
	qdrant.UnimplementedCollectionsServer
	s *Server
}

func (v collectionsService) Create(_ context.Context, r *qdrant.CreateCollection) (*qdrant.CollectionOperationResponse, error) {
	s, name, params := v.s, r.GetCollectionName(), r.GetVectorsConfig().GetParams()
	switch {
	case name == "" || len(name) > 255:
		return nil, status.Errorf(codes.InvalidArgument, "Validation error in body: [collection_name: value %q invalid, must be from 1 to 255 characters]", name)
	case strings.ContainsAny(name, "/\\<>:\"|?*\x00\x1f"):
		return nil, status.Error(codes.InvalidArgument, "Validation error in body: [collection_name: collection name cannot contain \"/\" char]")
	case params == nil:
		return nil, status.Error(codes.Unimplemented, "the stand-in wants one unnamed vector")
	case params.GetSize() < 1 || params.GetSize() > 65536:
		return nil, status.Errorf(codes.InvalidArgument, "Validation error in body: [vectors_config.config.size: value %d invalid, must be from 1 to 65536]", params.GetSize())
	case params.GetDistance() != qdrant.Distance_Dot && params.GetDistance() != qdrant.Distance_Cosine:
		return nil, status.Errorf(codes.Unimplemented, "the stand-in does not know the distance %s", params.GetDistance())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, isAlias := s.aliases[name]; isAlias || s.collections[name] != nil {
		return nil, taken(name)
	}
	s.collections[name] = &collection{
		created: proto.CloneOf(r), size: int(params.GetSize()), normalises: params.GetDistance() == qdrant.Distance_Cosine,
		points: make(map[pointID]*point), indexes: make(map[string]qdrant.FieldType),
		metadata: maps.Clone(r.GetMetadata()), strict: s.strict.with(r.GetStrictModeConfig()), graphs: s.graphs,
	}
	return &qdrant.CollectionOperationResponse{Result: true}, nil
}

func (v collectionsService) Get(_ context.Context, r *qdrant.GetCollectionInfoRequest) (*qdrant.GetCollectionInfoResponse, error) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	c, err := v.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	state, indexed := c.look()
	schema := make(map[string]*qdrant.PayloadSchemaInfo)
	for field, kind := range c.indexes {
		schema[field] = &qdrant.PayloadSchemaInfo{DataType: schemaTypes[kind]}
	}
	return &qdrant.GetCollectionInfoResponse{Result: &qdrant.CollectionInfo{
		Status: state, OptimizerStatus: &qdrant.OptimizerStatus{Ok: true}, SegmentsCount: 1,
		PointsCount: proto.Uint64(uint64(len(c.points))), IndexedVectorsCount: proto.Uint64(indexed), PayloadSchema: schema,
		Config: &qdrant.CollectionConfig{Params: &qdrant.CollectionParams{VectorsConfig: c.created.GetVectorsConfig(),
			ShardNumber: max(1, c.created.GetShardNumber()), ReplicationFactor: c.created.ReplicationFactor, WriteConsistencyFactor: c.created.WriteConsistencyFactor},
			HnswConfig: c.created.GetHnswConfig(), QuantizationConfig: c.created.GetQuantizationConfig(),
			OptimizerConfig: c.optimizers(), Metadata: c.metadata, StrictModeConfig: c.strict.config},
	}}, nil
}

// schemaTypes are the kinds of payload indexes as a collection's description
// names them.
var schemaTypes = map[qdrant.FieldType]qdrant.PayloadSchemaType{
	qdrant.FieldType_FieldTypeKeyword: qdrant.PayloadSchemaType_Keyword, qdrant.FieldType_FieldTypeInteger: qdrant.PayloadSchemaType_Integer,
	qdrant.FieldType_FieldTypeFloat: qdrant.PayloadSchemaType_Float, qdrant.FieldType_FieldTypeBool: qdrant.PayloadSchemaType_Bool,
	qdrant.FieldType_FieldTypeText: qdrant.PayloadSchemaType_Text, qdrant.FieldType_FieldTypeGeo: qdrant.PayloadSchemaType_Geo,
	qdrant.FieldType_FieldTypeDatetime: qdrant.PayloadSchemaType_Datetime, qdrant.FieldType_FieldTypeUuid: qdrant.PayloadSchemaType_Uuid,
}

// Update changes the metadata, key by key, the strict mode, and from which size
// on graphs are built.
func (v collectionsService) Update(_ context.Context, r *qdrant.UpdateCollection) (*qdrant.CollectionOperationResponse, error) {
	if r.Params != nil || r.HnswConfig != nil || r.VectorsConfig != nil || r.QuantizationConfig != nil || r.SparseVectorsConfig != nil {
		return nil, status.Error(codes.Unimplemented, "the stand-in changes metadata, strict mode and the threshold of graphs alone")
	}
	if o := r.GetOptimizersConfig(); o != nil && !proto.Equal(o, &qdrant.OptimizersConfigDiff{IndexingThreshold: o.IndexingThreshold}) {
		return nil, status.Error(codes.Unimplemented, "the stand-in knows of the optimizers' settings the threshold of graphs alone")
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	c, err := v.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	if len(r.GetMetadata()) > 0 {
		c.metadata = maps.Clone(c.metadata)
		if c.metadata == nil {
			c.metadata = make(map[string]*qdrant.Value)
		}
		maps.Copy(c.metadata, r.GetMetadata())
	}
	c.strict = c.strict.with(r.GetStrictModeConfig())
	if threshold := r.GetOptimizersConfig().GetIndexingThreshold(); r.GetOptimizersConfig() != nil {
		c.graphs.threshold = threshold
	}
	return &qdrant.CollectionOperationResponse{Result: true}, nil
}

func (v collectionsService) CollectionExists(_ context.Context, r *qdrant.CollectionExistsRequest) (*qdrant.CollectionExistsResponse, error) {
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	_, err := v.s.find(r.GetCollectionName())
	return &qdrant.CollectionExistsResponse{Result: &qdrant.CollectionExists{Exists: err == nil}}, nil
}

func (v collectionsService) List(context.Context, *qdrant.ListCollectionsRequest) (*qdrant.ListCollectionsResponse, error) {
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	list := new(qdrant.ListCollectionsResponse)
	for name := range v.s.collections {
		list.Collections = append(list.Collections, &qdrant.CollectionDescription{Name: name})
	}
	return list, nil
}

func (v collectionsService) Delete(_ context.Context, r *qdrant.DeleteCollection) (*qdrant.CollectionOperationResponse, error) {
	s, name := v.s, r.GetCollectionName()
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.collections[name]
	delete(s.collections, name)
	maps.DeleteFunc(s.aliases, func(_, target string) bool { return target == name })
	return &qdrant.CollectionOperationResponse{Result: there}, nil
}

// UpdateAliases does all actions or none.
func (v collectionsService) UpdateAliases(_ context.Context, r *qdrant.ChangeAliases) (*qdrant.CollectionOperationResponse, error) {
	s := v.s
	s.mu.Lock()
	defer s.mu.Unlock()
	aliases := maps.Clone(s.aliases)
	for _, action := range r.GetActions() {
		switch a := action.GetAction().(type) {
		case *qdrant.AliasOperations_CreateAlias:
			if s.collections[a.CreateAlias.GetCollectionName()] == nil {
				return nil, missing(a.CreateAlias.GetCollectionName())
			}
			if s.collections[a.CreateAlias.GetAliasName()] != nil {
				return nil, taken(a.CreateAlias.GetAliasName())
			}
			aliases[a.CreateAlias.GetAliasName()] = a.CreateAlias.GetCollectionName()
		case *qdrant.AliasOperations_DeleteAlias:
			delete(aliases, a.DeleteAlias.GetAliasName())
		default:
			return nil, status.Errorf(codes.Unimplemented, "the stand-in does not know the alias action %T", a)
		}
	}
	s.aliases = aliases
	return &qdrant.CollectionOperationResponse{Result: true}, nil
}

func (v collectionsService) ListAliases(context.Context, *qdrant.ListAliasesRequest) (*qdrant.ListAliasesResponse, error) {
	return v.s.listAliases(func(string) bool { return true }), nil
}

func (v collectionsService) ListCollectionAliases(_ context.Context, r *qdrant.ListCollectionAliasesRequest) (*qdrant.ListAliasesResponse, error) {
	return v.s.listAliases(func(target string) bool { return target == r.GetCollectionName() }), nil
}

func (s *Server) listAliases(of func(target string) bool) *qdrant.ListAliasesResponse {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := new(qdrant.ListAliasesResponse)
	for _, name := range slices.Sorted(maps.Keys(s.aliases)) {
		if of(s.aliases[name]) {
			list.Aliases = append(list.Aliases, &qdrant.AliasDescription{AliasName: name, CollectionName: s.aliases[name]})
		}
	}
	return list
}
