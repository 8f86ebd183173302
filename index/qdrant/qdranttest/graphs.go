package qdranttest

import (
	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"
)

// defaultThreshold is from how many kilobytes of vectors on a server builds a
// graph, unless its configuration says otherwise.
const defaultThreshold = 10_000

// graphs are what a server builds beside the points, so that searches need not
// look at all of them. Searches here always do; what is told of the graphs is as
// a real server tells it.
type graphs struct {
	threshold uint64 // kilobytes; 0 builds none
	looks     int    // at a collection, until its graph is there
	left      int    // of these
	indexed   int    // points that are in the graph
}

// BuildGraphs lets collections that are made from now on build a graph once they
// hold that many kilobytes of vectors, which takes as long as so many looks at
// the collection.
func (s *Server) BuildGraphs(threshold uint64, looks int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.graphs = graphs{threshold: threshold, looks: looks}
}

// pending reports whether a graph is to be built.
func (c *collection) pending() bool {
	kilobytes := uint64(len(c.points)*c.size*4) / 1024
	return c.graphs.threshold > 0 && c.graphs.indexed != len(c.points) && kilobytes >= c.graphs.threshold
}

// look tells of the graph, and goes on with it.
func (c *collection) look() (state qdrant.CollectionStatus, indexed uint64) {
	g := &c.graphs
	if !c.pending() {
		return qdrant.CollectionStatus_Green, uint64(g.indexed)
	}
	if g.left == 0 {
		g.left = g.looks
	} else if g.left--; g.left == 0 {
		g.indexed = len(c.points)
		return qdrant.CollectionStatus_Green, uint64(g.indexed)
	}
	return qdrant.CollectionStatus_Yellow, uint64(len(c.points) * (g.looks - g.left) / max(g.looks, 1))
}

// Threshold tells from how many kilobytes on a collection, or the one of an
// alias, builds graphs.
func (s *Server) Threshold(name string) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.find(name)
	if err != nil {
		return 0
	}
	return c.graphs.threshold
}

func (c *collection) optimizers() *qdrant.OptimizersConfigDiff {
	return &qdrant.OptimizersConfigDiff{IndexingThreshold: proto.Uint64(c.graphs.threshold)}
}
