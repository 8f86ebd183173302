package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

// On the stand-in, which misses nothing, every way has a recall of one.
func TestMeasureQdrant(t *testing.T) {
	server := qdranttest.Run(t)
	o := options{points: 1000, dim: 16, queries: 2, seed: 1, qdrant: "qdrant://" + server.Address() + "/bench"}
	s, err := measureQdrant(t.Context(), o, "nested", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Fillings) != 2 || len(s.Lists) != 2*(4+7+7) || s.Version != qdranttest.Version {
		t.Errorf("got %d fillings and %d lists of %s, want 2 and all of %s", len(s.Fillings), len(s.Lists), s.Version, qdranttest.Version)
	}
	for _, l := range s.Lists {
		for _, a := range l.Asked {
			if a.Recall < 1-1e-9 {
				t.Errorf("%s, %s, k = %d, %s: got a recall of %v, want 1", l.State, l.Filter, l.K, a.Way, a.Recall)
			}
		}
	}
	if left := server.Collections(); len(left) > 0 {
		t.Errorf("collections are left: %v", left)
	}
	var out bytes.Buffer
	if err := (Report{Served: []Served{s}}).print(&out); err != nil || !strings.Contains(out.String(), "just rated, unrated, 50.0 %, 100") {
		t.Errorf("got %v and\n%s", err, out.String())
	}
}

// Neighbours of nested data are of the same cluster, and some clusters are much
// larger than others.
func TestNestedDataHasClustersOfClusters(t *testing.T) {
	c := draw("nested", 2000, 48, 1, 1)
	if len(c.centres) != branches*branches*branches {
		t.Fatalf("got %d centres", len(c.centres))
	}
	between := func(a, b []float32) float64 { return exactScore(a, b) }
	same, kin, strangers := between(c.centres[0], c.centres[1]), between(c.centres[0], c.centres[branches]), between(c.centres[0], c.centres[branches*branches])
	if !(same > kin+.05 && kin > strangers+.05) {
		t.Errorf("centres of one parent have the cosine %.2f, of one grandparent %.2f, others %.2f; want them apart", same, kin, strangers)
	}
}
