package indextest

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// plain is what an index should be, as simple as can be: a map that every
// question goes through, in float64.
type plain map[palate.ImageID]index.Point

// ranked is a point with its exact score.
type ranked struct {
	id    palate.ImageID
	score float64
}

func dot(a, b []float32) float64 {
	var sum float64
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

func (m plain) upsert(points []index.Point) {
	for _, p := range points {
		p.Attributes.Verdicts = maps.Clone(p.Attributes.Verdicts)
		m[p.ID] = p
	}
}

func (m plain) setAttributes(attributes map[palate.ImageID]index.Attributes) {
	for id, a := range attributes {
		if p, there := m[id]; there {
			a.Verdicts = maps.Clone(a.Verdicts)
			p.Attributes = a
			m[id] = p
		}
	}
}

func (m plain) judge(judgements []index.Judgement) {
	for _, j := range judgements {
		p, there := m[j.ID]
		if !there {
			continue
		}
		verdicts := map[palate.Profile]palate.Verdict{}
		maps.Copy(verdicts, p.Attributes.Verdicts)
		delete(verdicts, j.Profile)
		if j.Verdict == palate.Like || j.Verdict == palate.Dislike {
			verdicts[j.Profile] = j.Verdict
		}
		p.Attributes.Verdicts = verdicts
		m[j.ID] = p
	}
}

func (m plain) remove(ids []palate.ImageID) {
	for _, id := range ids {
		delete(m, id)
	}
}

func (m plain) points() []index.Point { return slices.Collect(maps.Values(m)) }

func (m plain) ids() []palate.ImageID {
	return slices.SortedFunc(maps.Keys(m), func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
}

func (m plain) count(f index.Filter) (n int) {
	for _, p := range m {
		if passes(f, p) {
			n++
		}
	}
	return n
}

// vector is the query vector, and who is left out of the answer.
func (m plain) vector(q index.Query) (vector []float32, left []palate.ImageID) {
	switch {
	case q.Near != nil:
		return m[*q.Near].Embedding, []palate.ImageID{*q.Near}
	case q.Examples != nil:
		positive, negative := m.mean(q.Examples.Positive), m.mean(q.Examples.Negative)
		vector = make([]float32, len(positive))
		for i := range vector {
			vector[i] = float32(positive[i])
			if negative != nil {
				vector[i] = float32(2*positive[i] - negative[i])
			}
		}
		return vector, slices.Concat(q.Examples.Positive, q.Examples.Negative)
	}
	return q.Vector, nil
}

func (m plain) mean(ids []palate.ImageID) []float64 {
	var mean []float64
	for _, id := range ids {
		e := m[id].Embedding
		if mean == nil {
			mean = make([]float64, len(e))
		}
		for i, v := range e {
			mean[i] += float64(v) / float64(len(ids))
		}
	}
	return mean
}

// rank orders everything that the query may answer with, the best first, as
// if there were no limit.
func (m plain) rank(q index.Query) []ranked {
	vector, left := m.vector(q)
	var all []ranked
	for _, p := range m {
		if score := dot(vector, p.Embedding); passes(q.Filter, p) && !slices.Contains(left, p.ID) &&
			(q.Threshold == nil || float32(score) > *q.Threshold) {
			all = append(all, ranked{p.ID, score})
		}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.score, a.score), bytes.Compare(a.id[:], b.id[:]))
	})
	if q.Collapse != 0 {
		all = m.collapse(all, float64(q.Collapse))
	}
	return all
}

func (m plain) collapse(all []ranked, least float64) (kept []ranked) {
	for _, r := range all {
		if !slices.ContainsFunc(kept, func(k ranked) bool { return dot(m[k.id].Embedding, m[r.id].Embedding) >= least }) {
			kept = append(kept, r)
		}
	}
	return kept
}

// passes reads index.Filter sentence by sentence.
func passes(f index.Filter, p index.Point) bool {
	a := p.Attributes
	any := func(asked, has []string) bool {
		return len(asked) == 0 || slices.ContainsFunc(asked, func(s string) bool { return slices.Contains(has, s) })
	}
	year := f.YearFrom == 0 && f.YearTo == 0
	for _, y := range a.Years {
		year = year || (f.YearFrom == 0 || y >= f.YearFrom) && (f.YearTo == 0 || y <= f.YearTo)
	}
	likes := func(by palate.Profile) bool { return a.Verdicts[by] == palate.Like }
	dislikes := func(by palate.Profile) bool { return a.Verdicts[by] == palate.Dislike }
	judges := func(by palate.Profile) bool { return likes(by) || dislikes(by) }
	return any(f.Artists, a.Artists) && any(f.Licences, a.Licences) && any(f.Sites, a.Sites) && any(f.Categories, a.Categories) && year &&
		(f.JudgedBy == "" || judges(f.JudgedBy)) && (f.NotJudgedBy == "" || !judges(f.NotJudgedBy)) &&
		(f.LikedBy == "" || likes(f.LikedBy)) && (f.DislikedBy == "" || dislikes(f.DislikedBy)) &&
		(f.IDs == nil || slices.Contains(f.IDs, p.ID)) && !slices.Contains(f.NotIDs, p.ID)
}
