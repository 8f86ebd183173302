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
	if err != nil || c.points[id] == nil {
		return false
	}
	p := c.points[id]
	damaged := slices.Clone(p.vector)
	damaged[0], damaged[len(damaged)-1] = damaged[len(damaged)-1]+.5, -damaged[0]
	c.points[id] = &point{id: id, vector: damaged, payload: p.payload}
	return true
}

// IDs lists the points of a collection or an alias in the order of ids.
func (s *Server) IDs(name string) [][16]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.find(name)
	if err != nil {
		return nil
	}
	ids := make([][16]byte, 0, len(c.points))
	for id := range c.points {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return ids
}
