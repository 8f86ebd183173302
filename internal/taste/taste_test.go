package taste_test

import (
	"cmp"

	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// collectionDim leaves few ratings too little to learn from, and many enough.
const collectionDim = 32

var collectionModel = palate.ModelID(strings.Repeat("7a", 32))

// collection is a collection of embeddings in which some kind of picture stands
// out: beautiful ones lie towards the first axis, the others away from it,
// with noise on all of them.
type collection struct {
	t        *testing.T
	path     string
	catalog  *sqlite.Catalog
	index    *flat.Index
	follower *ingest.Follower
	tastes   *taste.Tastes
	random   *rand.Rand
	pictures int
}

func newCollection(t *testing.T) *collection {
	t.Helper()
	f := &collection{t: t, path: filepath.Join(t.TempDir(), "catalog.db"), random: rand.New(rand.NewPCG(3, 4))}
	f.catalog = f.again()
	f.ok("PutModel", f.catalog.PutModel(t.Context(), catalog.Model{ID: collectionModel, Name: "made up", Dim: collectionDim}))
	var err error
	f.index, err = flat.New(collectionModel, collectionDim)
	f.ok("index", err)
	f.follower = ingest.NewFollower(f.catalog, f.index, "", slog.New(slog.DiscardHandler))
	f.tastes = f.over(f.catalog, quick())
	return f
}

// quick trains in a moment.
func quick() taste.Config {
	c := taste.DefaultConfig()
	c.Probe.Strengths, c.Probe.Folds, c.Probe.InnerFolds = []float64{1, 10}, 4, 2
	c.LookEvery = time.Millisecond
	return c
}

// over gives the tastes in a catalog, as another process would have them.
func (f *collection) over(c catalog.Catalog, config taste.Config) *taste.Tastes {
	f.t.Helper()
	tastes, err := taste.New(c, f.index, config, slog.New(slog.DiscardHandler))
	f.ok("New", err)
	return tastes
}

// again opens the catalog by a further handle, as another process would.
func (f *collection) again() *sqlite.Catalog {
	f.t.Helper()
	c, err := sqlite.Open(f.t.Context(), f.path, sqlite.DefaultConfig())
	f.ok("catalog", err)
	f.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			f.t.Error(err)
		}
	})
	return c
}

func (f *collection) ok(what string, err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatalf("%s: %v", what, err)
	}
}

// embedding draws a picture that is beautiful, or not.
func (f *collection) embedding(beautiful bool) palate.Embedding {
	e := make(palate.Embedding, collectionDim)
	var sum float64
	for i := range e {
		v := f.random.NormFloat64()
		if i == 0 && beautiful {
			v += 1.3
		} else if i == 0 {
			v -= 1.3
		}
		e[i] = float32(v)
		sum += v * v
	}
	for i := range e {
		e[i] /= float32(math.Sqrt(sum))
	}
	return e
}

// add adds pictures, every second one beautiful, beginning with one that is.
func (f *collection) add(n int) []palate.ImageID {
	f.t.Helper()
	ids := make([]palate.ImageID, n)
	embeddings := make([]catalog.ImageEmbedding, n)
	for i := range ids {
		ids[i] = f.addRow()
		embeddings[i] = catalog.ImageEmbedding{ID: ids[i], Embedding: f.embedding(i%2 == 0)}
	}
	f.ok("PutEmbeddings", f.catalog.PutEmbeddings(f.t.Context(), collectionModel, embeddings))
	f.follow()
	return ids
}

// addRow adds a picture that is not embedded.
func (f *collection) addRow() palate.ImageID {
	f.t.Helper()
	f.pictures++
	sum := sha256.Sum256(fmt.Append(nil, "picture ", f.pictures))
	image := catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Bytes: 1, Format: "png", Width: 1, Height: 1}
	_, err := f.catalog.AddImage(f.t.Context(), image, palate.Source{Address: fmt.Sprint("/", f.pictures), Site: "folder"}, nil)
	f.ok("AddImage", err)
	return image.ID
}

func (f *collection) follow() {
	f.t.Helper()
	_, err := f.follower.CatchUp(f.t.Context())
	f.ok("CatchUp", err)
}

// rate lets a profile like every second picture, beginning with the first, and
// dislike the others.
func (f *collection) rate(p palate.Profile, ids []palate.ImageID) {
	f.t.Helper()
	f.rateAs(p, ids, palate.Like, palate.Dislike)
}

// rateAs gives verdicts in turn.
func (f *collection) rateAs(p palate.Profile, ids []palate.ImageID, verdicts ...palate.Verdict) {
	f.t.Helper()
	ratings := make([]catalog.Rating, len(ids))
	for i, id := range ids {
		ratings[i] = catalog.Rating{Profile: p, Image: id, Verdict: verdicts[i%len(verdicts)], Shown: palate.ShownGallery}
	}
	f.ok("RateAll", f.catalog.RateAll(f.t.Context(), ratings))
}

func (f *collection) train(p palate.Profile) taste.Outcome {
	f.t.Helper()
	outcome, err := f.tastes.Train(f.t.Context(), p)
	f.ok("Train", err)
	return outcome
}

// wantVersions fails unless the profile has that many versions and that one
// serves, 0 for none.
func (f *collection) wantVersions(p palate.Profile, versions, serving int) {
	f.t.Helper()
	probes, err := f.catalog.ListProbes(f.t.Context(), p)
	f.ok("ListProbes", err)
	if len(probes) != versions {
		f.t.Errorf("%s has %d versions, want %d", p, len(probes), versions)
	}
	for i, stored := range probes {
		if stored.Version != versions-i || stored.Current != (stored.Version == serving) {
			f.t.Errorf("%s: got version %d, serving %v, want %d, serving %v", p, stored.Version, stored.Current, versions-i, versions-i == serving)
		}
	}
}

func (f *collection) runs() []catalog.Run {
	f.t.Helper()
	runs, err := f.catalog.ListRuns(f.t.Context(), 0, 100)
	f.ok("ListRuns", err)
	return runs
}

func TestATrainedTasteRanksTheCollection(t *testing.T) {
	f := newCollection(t)
	ids := f.add(200)
	if _, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 10}); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("Rank without a probe: got %v, want ErrNotFound", err)
	}
	f.rate("me", ids[:100])
	f.follow()
	outcome := f.train("me")
	log, err := f.catalog.RatingLog(t.Context(), "me", 0, 1000)
	f.ok("RatingLog", err)
	v := outcome.Version
	if v.Version != 1 || !v.Current || v.Reason != "the first probe" || v.Model != collectionModel || v.LastEntry != log[99].Entry {
		t.Errorf("got %+v, want the first version, of all entries", v.ProbeVersion)
	}
	if r := outcome.Report; r.Likes != 50 || r.Dislikes != 50 || r.AUC < .7 {
		t.Errorf("got a report of %d likes, %d dislikes and AUC %.2f", r.Likes, r.Dislikes, r.AUC)
	}
	run := f.runs()[0]
	if run.Kind != "train" || run.Profile != "me" || run.State != catalog.Succeeded || run.ID != v.Run || !strings.Contains(string(run.Result), `"version":1`) {
		t.Errorf("got the run %+v with %s", run, run.Result)
	}

	all := f.rank("me", taste.RankQuery{Limit: 1000})
	if len(all) != 200 || !slices.IsSortedFunc(all, func(a, b taste.Score) int { return cmp.Compare(b.Logit, a.Logit) }) {
		t.Fatalf("got %d scores, want 200, the best first", len(all))
	}
	unrated := f.rank("me", taste.RankQuery{Limit: 1000, Filter: index.Filter{NotJudgedBy: "me"}})
	beautiful := 0
	for _, s := range unrated[:40] {
		if slices.Index(ids, s.Image)%2 == 0 {
			beautiful++
		}
	}
	if len(unrated) != 100 || beautiful < 32 {
		t.Errorf("got %d never rated, %d of the best 40 beautiful, want 100 and most", len(unrated), beautiful)
	}
	if part := f.rank("me", taste.RankQuery{Limit: 5, Offset: 7, Version: 1}); !slices.Equal(part, all[7:12]) {
		t.Errorf("a part: got %v, want %v", part, all[7:12])
	}
	least := all[59].Probability
	above := f.rank("me", taste.RankQuery{Limit: 1000, MinProbability: &least})
	if len(above) < 58 || len(above) > 60 || above[len(above)-1].Probability < least-1e-6 {
		t.Errorf("above the probability of the 60th: got %d", len(above))
	}
	f.wantSameScores(v, unrated) // a rated one, named by its embedding, would speak for itself
	f.wantSameWhole("me", taste.RankQuery{}, all)
	f.wantSameWhole("me", taste.RankQuery{Filter: index.Filter{NotJudgedBy: "me"}}, unrated)
	f.wantSameWhole("me", taste.RankQuery{MinProbability: &least}, above)
}

// wantSameWhole fails unless a whole ranking is the one of the index.
func (f *collection) wantSameWhole(p palate.Profile, q taste.RankQuery, ranked []taste.Score) {
	f.t.Helper()
	whole, err := f.tastes.RankWhole(f.t.Context(), p, q)
	f.ok("RankWhole", err)
	if len(whole.Scores) != len(ranked) {
		f.t.Fatalf("the whole ranking has %d images, want %d", len(whole.Scores), len(ranked))
	}
	for i, s := range whole.Scores {
		if math.Abs(s.Logit-ranked[i].Logit) > 1e-4 || s.Provisional != ranked[i].Provisional {
			f.t.Errorf("rank %d of the whole has %+v, want %+v", i, s, ranked[i])
		}
	}
}

func (f *collection) rank(p palate.Profile, q taste.RankQuery) []taste.Score {
	f.t.Helper()
	ranking, err := f.tastes.Rank(f.t.Context(), p, q)
	f.ok("Rank", err)
	return ranking.Scores
}

// wantSameScores fails unless every way of asking gives the scores of a ranking.
func (f *collection) wantSameScores(v taste.Version, ranked []taste.Score) {
	f.t.Helper()
	nowhere := palate.ImageID{1}
	ids := []palate.ImageID{nowhere, ranked[3].Image, ranked[80].Image}
	scores, version, err := f.tastes.ScoresOf(f.t.Context(), "me", ids)
	f.ok("ScoresOf", err)
	if len(scores) != 2 || version.Version != v.Version || scores[ranked[3].Image] != ranked[3] || scores[ranked[80].Image] != ranked[80] {
		f.t.Errorf("ScoresOf: got %v of version %d", scores, version.Version)
	}
	embeddings, err := f.catalog.EmbeddingsOf(f.t.Context(), collectionModel, ids)
	f.ok("EmbeddingsOf", err)
	for i, e := range embeddings {
		want := scores[ids[i+1]]
		got, err := v.ScoreEmbedding(e.Embedding)
		if err != nil || math.Abs(got.Logit-want.Logit) > 1e-4 || math.Abs(got.Probability-want.Probability) > 1e-4 {
			f.t.Errorf("ScoreEmbedding: got %+v and %v, want %+v", got, err, want)
		}
	}
	if _, err := v.ScoreEmbedding(make(palate.Embedding, collectionDim)); !errors.Is(err, palate.ErrInvalid) {
		f.t.Errorf("ScoreEmbedding of no direction: got %v, want ErrInvalid", err)
	}
}

// Skips, undone ratings and pictures that are not embedded teach nothing.
func TestTooFewOrOneSidedRatingsAreRefused(t *testing.T) {
	f := newCollection(t)
	ids := f.add(40)
	for name, c := range map[string]struct {
		rate func(p palate.Profile)
		says string
		want probe.NotEnoughError
	}{
		"nobody": {func(palate.Profile) {}, "0 likes and 0 dislikes; 5 more likes and 5 more dislikes are needed",
			probe.NotEnoughError{NeedLikes: 5, NeedDislikes: 5}},
		"likes": {func(p palate.Profile) { f.rateAs(p, ids[:30], palate.Like) }, "30 likes and 0 dislikes; 5 more dislikes are needed",
			probe.NotEnoughError{Likes: 30, NeedDislikes: 5}},
		"dislikes": {func(p palate.Profile) {
			f.rateAs(p, ids[:10], palate.Dislike)
			f.rateAs(p, ids[10:14], palate.Like)
		}, "4 likes and 10 dislikes; 1 more like is needed", probe.NotEnoughError{Likes: 4, Dislikes: 10, NeedLikes: 1}},
		"skips":   {func(p palate.Profile) { f.rateAs(p, ids, palate.Skip) }, "0 likes and 0 dislikes", probe.NotEnoughError{NeedLikes: 5, NeedDislikes: 5}},
		"changed": {func(p palate.Profile) { f.rate(p, ids); f.rateAs(p, ids, palate.Like) }, "40 likes and 0 dislikes", probe.NotEnoughError{Likes: 40, NeedDislikes: 5}},
		"undone": {func(p palate.Profile) {
			f.rate(p, ids[:10])
			_, err := f.catalog.UndoRating(t.Context(), p, 0)
			f.ok("UndoRating", err)
		}, "5 likes and 4 dislikes; 1 more dislike is needed", probe.NotEnoughError{Likes: 5, Dislikes: 4, NeedDislikes: 1}},
		"unembedded": {func(p palate.Profile) { f.rate(p, append(slices.Clone(ids[:9]), f.addRow())) }, "5 likes and 4 dislikes",
			probe.NotEnoughError{Likes: 5, Dislikes: 4, NeedDislikes: 1}},
	} {
		p := palate.Profile(name)
		c.rate(p)
		for range 2 { // the lease is given back
			_, err := f.tastes.Train(t.Context(), p)
			var missing *probe.NotEnoughError
			if !errors.As(err, &missing) || *missing != c.want || !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: got %v, want %q", name, err, c.says)
			}
		}
		f.wantVersions(p, 0, 0)
	}
	if runs := f.runs(); len(runs) != 0 {
		t.Errorf("got runs %+v, want none of what did not begin", runs)
	}
}

func TestProfilesHaveTheirOwnTastes(t *testing.T) {
	f := newCollection(t)
	ids := f.add(80)
	f.rate("me", ids)
	f.rateAs("you", ids, palate.Dislike, palate.Like)
	f.train("me")
	f.train("me")
	f.train("you")
	f.wantVersions("me", 2, 2)
	f.wantVersions("you", 1, 1)
	best := func(p palate.Profile) (beautiful int) {
		for _, s := range f.rank(p, taste.RankQuery{Limit: 20}) {
			if slices.Index(ids, s.Image)%2 == 0 {
				beautiful++
			}
		}
		return beautiful
	}
	if me, you := best("me"), best("you"); me < 17 || you > 3 {
		t.Errorf("of the best 20, %d for me and %d for you are beautiful, want most and few", me, you)
	}
	if _, err := f.tastes.Current(t.Context(), "nobody"); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("nobody's taste: got %v, want ErrNotFound", err)
	}
	other, err := flat.New(palate.ModelID(strings.Repeat("0b", 32)), collectionDim)
	f.ok("index", err)
	elsewhere, err := taste.New(f.catalog, other, quick(), slog.New(slog.DiscardHandler))
	f.ok("New", err)
	if _, err := elsewhere.Current(t.Context(), "me"); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("my taste in another model's embeddings: got %v, want ErrNotFound", err)
	}
}

// What the old probe was trained on is deleted, so that the new one knows far
// less, and is worse on what has been rated since.
func TestAWorseProbeDoesNotTakeOver(t *testing.T) {
	f := newCollection(t)
	old, since := f.add(400), f.add(60)
	f.rate("me", old)
	f.train("me")
	for _, id := range old {
		f.ok("DeleteImage", f.catalog.DeleteImage(t.Context(), id, "lost"))
	}
	f.rate("me", since)
	outcome := f.train("me")
	if v := outcome.Version; v.Version != 2 || v.Current || !strings.HasPrefix(v.Reason, "worse on ratings that the old probe had not seen") {
		t.Errorf("got version %d, serving %v, because %q, want the old one to serve on", v.Version, v.Current, v.Reason)
	}
	f.wantVersions("me", 2, 1)
	f.follow()
	ranking, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 10, Version: 1})
	if err != nil || ranking.Version.Version != 1 {
		t.Errorf("got a ranking by version %d and %v, want 1", ranking.Version.Version, err)
	}
	// A person may decide otherwise, which other processes see.
	f.ok("MakeProbeCurrent", f.again().MakeProbeCurrent(t.Context(), "me", 2))
	ranking, err = f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 10, Version: 1})
	if err != nil || ranking.Version.Version != 1 || ranking.Newer != 2 {
		t.Errorf("to go on with version 1: got version %d, newer %d and %v, want 1, 2", ranking.Version.Version, ranking.Newer, err)
	}
	if _, err = f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 10, Version: 3}); !errors.Is(err, taste.ErrProbeChanged) {
		t.Errorf("to go on with a version that is not there: got %v, want ErrProbeChanged", err)
	}
	if ranking, err = f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 10}); err != nil || ranking.Version.Version != 2 {
		t.Errorf("got a ranking by version %d and %v, want 2", ranking.Version.Version, err)
	}
}

func TestConfigValidateTellsEverything(t *testing.T) {
	c := taste.DefaultConfig()
	f := newCollection(t)
	f.ok("the default", c.Validate())
	c.RetrainAfter, c.LookEvery, c.Probe.Folds = -1, 0, 1
	_, err := taste.New(f.catalog, f.index, c, slog.New(slog.DiscardHandler))
	for _, want := range []string{"RetrainAfter is -1", "LookEvery is 0s", "Folds is 1"} {
		if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ErrInvalid that says %q", err, want)
		}
	}
}
