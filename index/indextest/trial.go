package indextest

import (
	"errors"
	"math"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// trial is one index under test beside the model of what it should hold.
type trial struct {
	*testing.T
	subject Subject
	ix      index.Index
	want    plain

	asked, found int // true hits over all answers
}

func begin(t *testing.T, s Subject, dim int, points ...index.Point) *trial {
	t.Helper()
	tr := &trial{T: t, subject: s, ix: s.Open(t, model, dim), want: plain{}}
	t.Cleanup(func() {
		if err := tr.ix.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if recall := float64(tr.found) / float64(max(1, tr.asked)); tr.asked > 0 && recall < s.Tolerances.Recall {
			t.Errorf("the answers hold %d of %d true hits, want a share of %v", tr.found, tr.asked, s.Tolerances.Recall)
		}
	})
	tr.upsert(points...)
	return tr
}

func (t *trial) ok(what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func (t *trial) wantKind(what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: got error %v, want one that is %q", what, err, kind)
	}
}

func (t *trial) settle() {
	if t.subject.Tolerances.Settle != nil {
		t.subject.Tolerances.Settle(t.T, t.ix)
	}
}

// upsertBatch is how many points the suite writes in one call.
const upsertBatch = 5000

func (t *trial) upsert(points ...index.Point) {
	t.Helper()
	for rest := points; len(rest) > 0; {
		n := min(upsertBatch, len(rest))
		t.ok("upsert", t.ix.Upsert(t.Context(), rest[:n]))
		rest = rest[n:]
	}
	t.want.upsert(points)
	t.settle()
}

func (t *trial) remove(ids ...palate.ImageID) {
	t.Helper()
	t.ok("delete", t.ix.Delete(t.Context(), ids))
	t.want.remove(ids)
	t.settle()
}

func (t *trial) search(q index.Query) []index.Hit {
	t.Helper()
	hits, err := t.ix.Search(t.Context(), q)
	t.ok("search", err)
	return hits
}

// goOn sets the hit that the page's Offset counts up to, as whoever pages does.
func (t *trial) goOn(q *index.Query) {
	t.Helper()
	before := *q
	before.Limit, before.Offset, before.After = q.Offset, 0, nil
	if hits := t.search(before); len(hits) == q.Offset {
		q.After = &hits[q.Offset-1]
	}
}

// check asks the index and holds the answer against the model's.
func (t *trial) check(what string, q index.Query) {
	t.Helper()
	t.compare(what, q, t.search(q), t.want.rank(q))
}

// compare holds an answer against the exact ranking of everything that passes.
func (t *trial) compare(what string, q index.Query, got []index.Hit, all []ranked) {
	t.Helper()
	vector, _ := t.want.vector(q)
	within := t.subject.Tolerances.ScoreError * math.Sqrt(dot(vector, vector))
	want := all[min(q.Offset, len(all)):]
	want = want[:min(q.Limit, len(want))]
	if len(got) != len(want) && (t.subject.Tolerances.exact() || len(got) > len(want)) {
		t.Fatalf("%s: got %d hits, want %d", what, len(got), len(want))
	}
	exact := make(map[palate.ImageID]float64, len(all))
	for _, r := range all {
		exact[r.id] = r.score
	}
	seen := make(map[palate.ImageID]bool, len(got))
	for i, hit := range got {
		score, passes := exact[hit.ID]
		switch {
		case seen[hit.ID]:
			t.Fatalf("%s: hit %d, %s, comes twice", what, i, hit.ID)
		case !passes && q.Collapse != 0:
			// Another of the same group was kept: its score tells.
			score = dot(vector, t.want[hit.ID].Embedding)
		case !passes:
			t.Fatalf("%s: hit %d, %s, should not pass", what, i, hit.ID)
		}
		if math.Abs(float64(hit.Score)-score) > within+math.Abs(score)*1e-7 {
			t.Fatalf("%s: hit %d, %s, scores %v, want %v", what, i, hit.ID, hit.Score, score)
		}
		if i > 0 && hit.Score > got[i-1].Score {
			t.Fatalf("%s: hit %d scores %v, above the one before it, %v", what, i, hit.Score, got[i-1].Score)
		}
		seen[hit.ID] = true
		t.asked++
		if score >= want[len(want)-1].score-within {
			t.found++
		}
	}
	t.asked += len(want) - len(got)
	if t.subject.Tolerances.exact() {
		t.compareRanks(what, got, want, exact, within)
	}
}

// compareRanks holds every rank against the exact one. Scores that are not
// equal may come in any order where float32, as a hit has it, does not tell
// them apart.
func (t *trial) compareRanks(what string, got []index.Hit, want []ranked, exact map[palate.ImageID]float64, within float64) {
	t.Helper()
	const negligible, step = 1e-12, 0x1p-23
	free := negligible
	if t.subject.Tolerances.AnyTieOrder {
		free = within
	}
	for i, hit := range got {
		if hit.ID == want[i].id {
			continue
		}
		score, there := exact[hit.ID]
		apart := math.Abs(score - want[i].score)
		if !there || apart > max(free, step*math.Abs(score)) || apart == 0 && !t.subject.Tolerances.AnyTieOrder {
			t.Fatalf("%s: hit %d is %s with %v, want %s with %v", what, i, hit.ID, hit.Score, want[i].id, want[i].score)
		}
	}
}

// checkHeld holds everything that the index tells of its points against the
// model.
func (t *trial) checkHeld(what string) {
	t.Helper()
	want := t.want.ids()
	got, err := t.ix.IDs(t.Context(), palate.ImageID{}, len(want)+1)
	t.ok("ids", err)
	if len(got) != len(want) {
		t.Fatalf("%s: %d ids, want %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: id %d is %s, want %s", what, i, got[i], want[i])
		}
	}
	stored, err := t.ix.Get(t.Context(), want)
	t.ok("get", err)
	if len(stored) != len(want) {
		t.Fatalf("%s: got %d points, want %d", what, len(stored), len(want))
	}
	for i, p := range stored {
		t.samePoint(what, p, t.want[want[i]])
	}
}

func (t *trial) samePoint(what string, got, want index.Point) {
	t.Helper()
	if got.ID != want.ID {
		t.Fatalf("%s: point %s, want %s", what, got.ID, want.ID)
	}
	if len(got.Embedding) != len(want.Embedding) {
		t.Fatalf("%s: point %s has %d values, want %d", what, got.ID, len(got.Embedding), len(want.Embedding))
	}
	for i, v := range want.Embedding {
		if math.Abs(float64(got.Embedding[i])-float64(v)) > t.subject.Tolerances.VectorError {
			t.Fatalf("%s: point %s has value %d %v, want %v", what, got.ID, i, got.Embedding[i], v)
		}
	}
	if g, w := describe(got.Attributes), describe(want.Attributes); g != w {
		t.Fatalf("%s: point %s has attributes %s, want %s", what, got.ID, g, w)
	}
}
