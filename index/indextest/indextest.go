// Package indextest is the conformance suite of index.Index.
package indextest

import (
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/test/race"
)

// Subject is an implementation under test.
type Subject struct {
	// Open returns an empty index for embeddings of that model and
	// dimension. The suite closes it, and may have several open at once.
	Open func(t *testing.T, model palate.ModelID, dim int) index.Index

	// Reopen closes an index and opens it again, as a new process would.
	// held is what the catalog holds at that moment, for an index that has
	// to be filled from it.
	Reopen func(t *testing.T, ix index.Index, held []index.Point) index.Index

	Tolerances Tolerances
}

// Tolerances states how an implementation may differ from an exact one on this
// machine. The zero Tolerances is exact: it misses no hit, orders equal scores by
// ID, and shows every write to the next read.
type Tolerances struct {
	// ScoreError is the largest error of a score, relative to the norm of
	// the query vector; 0 stands for 1e-6.
	ScoreError float64
	// VectorError is the largest error of a value that Get returns; 0
	// stands for 1e-6, which the contract asks for.
	VectorError float64
	// Recall is the least share of the true hits that the answers of one
	// test hold together; 0 stands for 1. Hits tied with the last true one
	// count as true.
	Recall float64
	// AnyTieOrder lets equal scores come in any order, so that with equal
	// scores at the end of a page either may be on it.
	AnyTieOrder bool
	// Settle, if not nil, is called between writing and reading, and
	// returns when what was written can be seen.
	Settle func(t *testing.T, ix index.Index)
	// Points is the size of the largest test; 0 stands for 100,000, or a
	// tenth under the race detector or with -short.
	Points int
}

func (n Tolerances) withDefaults() Tolerances {
	if n.ScoreError == 0 {
		n.ScoreError = 1e-6
	}
	if n.VectorError == 0 {
		n.VectorError = 1e-6
	}
	if n.Recall == 0 {
		n.Recall = 1
	}
	if n.Points == 0 {
		n.Points = 100_000
		if race.Enabled || testing.Short() {
			n.Points = 10_000
		}
	}
	return n
}

// exact reports whether every true hit must be found.
func (n Tolerances) exact() bool { return n.Recall == 1 }

// model is whose embeddings the suite's indexes hold.
const model palate.ModelID = "5e1f0000000000000000000000000000000000000000000000000000000000ed"

// Run holds an implementation against every sentence of the contract.
func Run(t *testing.T, subject Subject) {
	subject.Tolerances = subject.Tolerances.withDefaults()
	for _, claim := range []struct {
		name string
		test func(*testing.T, Subject)
	}{
		{"empty", testEmpty},
		{"one point", testOne},
		{"names its model", testModel},
		{"points come back", testGet},
		{"points are replaced whole", testReplace},
		{"caller's memory stays the caller's", testOwnership},
		{"bad points are refused whole", testBadPoints},
		{"bad queries are refused", testBadQueries},
		{"unknown ids", testUnknown},
		{"duplicates", testDuplicates},
		{"ties come in the order of ids", testTies},
		{"near duplicates collapse", testCollapse},
		{"scores scale with the vector", testProbeVector},
		{"threshold is exclusive", testThreshold},
		{"neighbours", testNear},
		{"examples", testExamples},
		{"pages", testPages},
		{"ids in order", testIDs},
		{"scores of some", testScores},
		{"many queries together", testBatch},
		{"bad queries among many", testBadBatch},
		{"each filter", testEachFilter},
		{"filters together", testFilters},
		{"text is compared exactly", testText},
		{"judgements", testJudge},
		{"golden", testGolden},
		{"random operations", testRandom},
		{"concurrent use", testConcurrent},
		{"changes are seen whole", testAtomic},
		{"reopening", testReopen},
		{"clear and rebuild", testClear},
		{"after a cancelled context", testCancelled},
		{"after closing", testClosed},
		{"tight clusters", testClusters},
		{"many points", testMany},
	} {
		t.Run(claim.name, func(t *testing.T) {
			t.Parallel()
			claim.test(t, subject)
		})
	}
}
