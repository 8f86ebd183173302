package qdranttest

import (
	"bytes"
	"maps"
	"slices"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"
)

// FieldIndexes tells which fields of a collection, or of an alias, have an
// index. It is empty if there is no such collection.
func (s *Server) FieldIndexes(name string) map[string]qdrant.FieldType {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.find(name)
	if err != nil {
		return nil
	}
	return maps.Clone(c.indexes)
}

// Collections names the collections in order.
func (s *Server) Collections() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.collections))
}

// Aliases gives the collection of every alias.
func (s *Server) Aliases() map[string]string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.aliases)
}

// Created gives the request that made a collection, nil if there is none.
func (s *Server) Created(name string) *qdrant.CreateCollection {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.find(name)
	if err != nil {
		return nil
	}
	return proto.CloneOf(c.created)
}

// Damage changes one stored vector, as a broken disk might, and reports
// whether the point is there.
func (s *Server) Damage(name string, id [16]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.find(name)
	p := (*point)(nil)
	if err == nil {
		p = c.points[pointID{uuid: id, hasUUID: true}]
	}
	if p == nil {
		return false
	}
	damaged := slices.Clone(p.vector)
	damaged[0], damaged[len(damaged)-1] = damaged[len(damaged)-1]+.5, -damaged[0]
	c.points[p.id] = &point{id: p.id, vector: damaged, payload: p.payload}
	return true
}

// IDs lists the points of a collection or an alias in the order of ids, those
// that are named by a number left out.
func (s *Server) IDs(name string) [][16]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.find(name)
	if err != nil {
		return nil
	}
	ids := make([][16]byte, 0, len(c.points))
	for id := range c.points {
		if id.hasUUID {
			ids = append(ids, id.uuid)
		}
	}
	slices.SortFunc(ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// Metadata tells what is noted of a collection, or of an alias.
func (s *Server) Metadata(name string) map[string]*qdrant.Value {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.find(name)
	if err != nil {
		return nil
	}
	return maps.Clone(c.metadata)
}

// Snapshot is the state of a collection at one moment.
type Snapshot struct{ of collection }

// Snapshot takes one of a collection, or of an alias; nil if there is none.
func (s *Server) Snapshot(name string) *Snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.find(name)
	if err != nil {
		return nil
	}
	return &Snapshot{c.clone()}
}

// Restore brings a snapshot back under a collection's own name. As on a real
// server, a collection that is there gets the points and the payload indexes
// and keeps its own metadata; one that is not is made with all of it; and no
// alias is touched.
func (s *Server) Restore(name string, snapshot *Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	restored := snapshot.of.clone()
	if present, there := s.collections[name]; there {
		restored.metadata, restored.strict = present.metadata, present.strict
	}
	s.collections[name] = &restored
}
