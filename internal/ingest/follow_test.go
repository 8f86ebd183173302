package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

// indexed is what an index should hold, as plain Go.
type indexed map[palate.ImageID]index.Attributes

// point is what the n-th painting is indexed as, before anybody judged it.
func point(n int) index.Attributes {
	s := sourceOf(n)
	return index.Attributes{Artists: []string{s.Artist}, Sites: []string{s.Site}, Years: []int{s.Year}}
}

// wantIndex fails unless the index holds exactly that.
func wantIndex(t *testing.T, ix *flat.Index, want indexed) {
	t.Helper()
	if got, err := ix.Count(t.Context(), index.Filter{}); err != nil || got != len(want) {
		t.Errorf("the index holds %d points (%v), want %d", got, err, len(want))
	}
	for id, attributes := range want {
		points, err := ix.Get(t.Context(), []palate.ImageID{id})
		if err != nil || len(points) != 1 {
			t.Errorf("image %s: got %d points and %v, want it indexed", id, len(points), err)
			continue
		}
		if got := points[0].Attributes; !sameAttributes(got, attributes) {
			t.Errorf("image %s: got %+v, want %+v", id, got, attributes)
		}
	}
}

func sameAttributes(a, b index.Attributes) bool {
	for _, x := range []*index.Attributes{&a, &b} {
		slices.Sort(x.Artists)
		slices.Sort(x.Years)
	}
	return slices.Equal(a.Artists, b.Artists) && slices.Equal(a.Licences, b.Licences) && slices.Equal(a.Sites, b.Sites) &&
		slices.Equal(a.Categories, b.Categories) && slices.Equal(a.Years, b.Years) &&
		(len(a.Verdicts) == 0 && len(b.Verdicts) == 0 || reflect.DeepEqual(a.Verdicts, b.Verdicts))
}

func TestTheIndexFollowsWhatOthersWrite(t *testing.T) {
	f := newFixture(t)
	ix, follower := f.index()
	f.catchUp(follower)
	wantIndex(t, ix, indexed{})

	ids := f.add(0, 5)
	f.catchUp(follower)
	wantIndex(t, ix, indexed{}) // stored, not embedded

	f.embed()
	f.catchUp(follower)
	want := indexed{}
	for n, id := range ids {
		want[id] = point(n)
	}
	wantIndex(t, ix, want)

	f.rate(ids[0], "me", palate.Like)
	f.rate(ids[1], "me", palate.Like)
	f.rate(ids[1], "you", palate.Skip)
	f.rate(ids[1], "me", palate.Dislike) // the last one stands
	f.rate(ids[2], "you", palate.Like)
	_, err := f.catalog.UndoRating(t.Context(), "you", 0)
	f.ok("UndoRating", err)
	another := sourceOf(3)
	another.Address, another.Artist, another.Year = "https://elsewhere.example/3.png", "Somebody Else", 0
	another.Site = sourceOf(3).Site
	_, err = f.collection.Add(t.Context(), painting(3), another)
	f.ok("Add", err)
	f.ok("Remove", f.collection.Remove(t.Context(), ids[4], "a duplicate"))
	f.catchUp(follower)
	judged := func(n int, verdicts map[palate.Profile]palate.Verdict) index.Attributes {
		p := point(n)
		p.Verdicts = verdicts
		return p
	}
	want[ids[0]] = judged(0, map[palate.Profile]palate.Verdict{"me": palate.Like})
	want[ids[1]] = judged(1, map[palate.Profile]palate.Verdict{"me": palate.Dislike})
	twice := point(3)
	twice.Artists = append(twice.Artists, "Somebody Else")
	want[ids[3]] = twice
	delete(want, ids[4])
	wantIndex(t, ix, want)

	applied, err := follower.CatchUp(t.Context())
	if err != nil || applied != 0 {
		t.Errorf("nothing new: got %d changes applied and %v, want none", applied, err)
	}
	fresh, loading := f.index()
	f.catchUp(loading)
	wantIndex(t, fresh, want)
}

// An image that comes back after its deletion was lifted has no embedding
// until it is embedded anew.
func TestWhatComesBackIsIndexedWhenItIsEmbedded(t *testing.T) {
	f := newFixture(t)
	ix, follower := f.index()
	ids := f.add(0, 2)
	f.embed()
	f.catchUp(follower)
	f.ok("Remove", f.collection.Remove(t.Context(), ids[0], "by mistake"))
	f.ok("LiftTombstone", f.catalog.LiftTombstone(t.Context(), ids[0]))
	f.add(0, 1)
	f.catchUp(follower)
	wantIndex(t, ix, indexed{ids[1]: point(1)})
	f.embed()
	f.catchUp(follower)
	wantIndex(t, ix, indexed{ids[0]: point(0), ids[1]: point(1)})
}

func TestAFollowerThatFellBehindLoadsAnew(t *testing.T) {
	f := newFixture(t)
	ix, follower := f.index()
	ids := f.add(0, 3)
	f.embed()
	f.catchUp(follower)
	f.rate(ids[0], "me", palate.Like)
	f.ok("Remove", f.collection.Remove(t.Context(), ids[1], "a duplicate"))
	last, err := f.catalog.LastChange(t.Context())
	f.ok("LastChange", err)
	f.ok("CompactChanges", f.catalog.CompactChanges(t.Context(), last))
	f.catchUp(follower)
	liked := point(0)
	liked.Verdicts = map[palate.Profile]palate.Verdict{"me": palate.Like}
	wantIndex(t, ix, indexed{ids[0]: liked, ids[2]: point(2)})
	var told [][2]int
	f.ok("Rebuild", follower.Rebuild(t.Context(), ingest.Rebuilding{Loaded: func(done, total int) { told = append(told, [2]int{done, total}) }}))
	wantIndex(t, ix, indexed{ids[0]: liked, ids[2]: point(2)})
	if !slices.Equal(told, [][2]int{{2, 2}}) {
		t.Errorf("progress told %v, want 2 of 2", told)
	}
}

// failingIndex fails at the n-th change from now.
type failingIndex struct {
	*flat.Index
	n int
}

var errAway = fmt.Errorf("the index is away: %w", palate.ErrUnavailable)

func (x *failingIndex) Upsert(ctx context.Context, points []index.Point) error {
	if x.n--; x.n == 0 {
		return errAway
	}
	return x.Index.Upsert(ctx, points)
}

func (x *failingIndex) Judge(ctx context.Context, judgements []index.Judgement) error {
	if x.n--; x.n == 0 {
		return errAway
	}
	return x.Index.Judge(ctx, judgements)
}

func (x *failingIndex) Delete(ctx context.Context, ids []palate.ImageID) error {
	if x.n--; x.n == 0 {
		return errAway
	}
	return x.Index.Delete(ctx, ids)
}

func TestAnIndexThatWasAwayIsBroughtUpToDate(t *testing.T) {
	for failAt := 1; failAt <= 3; failAt++ {
		t.Run(fmt.Sprintf("at change %d", failAt), func(t *testing.T) {
			f := newFixture(t)
			plain, err := flat.New(f.model(), f.embedder.Dim())
			f.ok("index", err)
			ix := &failingIndex{Index: plain}
			follower := ingest.NewFollower(f.again(), ix, "", slog.New(slog.DiscardHandler))
			ids := f.add(0, 3)
			f.embed()
			f.catchUp(follower)
			f.add(3, 4)
			f.embed()
			f.rate(ids[0], "me", palate.Like)
			f.ok("Remove", f.collection.Remove(t.Context(), ids[1], "a duplicate"))
			ix.n = failAt
			if _, err := follower.CatchUp(t.Context()); !errors.Is(err, palate.ErrUnavailable) {
				t.Errorf("got %v, want that the index is away", err)
			}
			f.catchUp(follower)
			liked := point(0)
			liked.Verdicts = map[palate.Profile]palate.Verdict{"me": palate.Like}
			want := indexed{ids[0]: liked, ids[2]: point(2), palate.NewImageID(sum(painting(3))): point(3)}
			wantIndex(t, plain, want)
			// A rebuild that fails halfway leaves half an index, which the next
			// call must not take for a whole one.
			ix.n = 1
			if err := follower.Rebuild(t.Context(), ingest.Rebuilding{}); !errors.Is(err, palate.ErrUnavailable) {
				t.Errorf("Rebuild: got %v, want that the index is away", err)
			}
			f.catchUp(follower)
			wantIndex(t, plain, want)
		})
	}
}

// A running follower sees by itself what another process writes, and goes on
// after it failed.
func TestARunningFollowerSeesWhatIsWritten(t *testing.T) {
	f := newFixture(t)
	plain, err := flat.New(f.model(), f.embedder.Dim())
	f.ok("index", err)
	ix := &failingIndex{Index: plain, n: 1}
	f.add(0, 3)
	f.embed()
	follower := ingest.NewFollower(f.again(), ix, "", slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- follower.Run(ctx, time.Millisecond) }()
	waitForCount := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			got, err := plain.Count(t.Context(), index.Filter{})
			if err == nil && got == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("got %d points and %v after a minute, want %d", got, err, want)
			}
		}
	}
	waitForCount(3) // the first attempt failed
	f.add(3, 5)
	f.embed()
	waitForCount(5)
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: got %v, want the error of its context", err)
	}
}

// world is a collection as plain Go.
type world struct {
	*fixture
	random    *rand.Rand
	catalogs  []catalog.Catalog
	present   map[int]bool // paintings with a row
	embedded  map[int]bool
	deleted   map[int]bool // tombstones
	thrown    map[int]thrown
	judged    map[int]map[palate.Profile]palate.Verdict
	elsewhere map[int]bool // paintings with a second source
}

// thrown is what a painting in the trash comes back with.
type thrown struct{ embedded, elsewhere bool }

const paintings = 12

var worldIDs = func() (ids [paintings]palate.ImageID) {
	for n := range ids {
		ids[n] = palate.NewImageID(sum(painting(n)))
	}
	return ids
}()

// Random operations by several handles, in any order and with the follower
// coming late, leave in the index what a plain model says.
func TestRandomOperationsAgreeWithAPlainModel(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			w := &world{fixture: f, random: rand.New(rand.NewPCG(seed, 9)), catalogs: []catalog.Catalog{f.catalog, f.again()},
				present: map[int]bool{}, embedded: map[int]bool{}, deleted: map[int]bool{}, thrown: map[int]thrown{},
				judged: map[int]map[palate.Profile]palate.Verdict{}, elsewhere: map[int]bool{}}
			ix, follower := f.index()
			for step := range 160 {
				w.step(t)
				if w.random.IntN(4) > 0 {
					continue
				}
				f.catchUp(follower)
				wantIndex(t, ix, w.indexed())
				if t.Failed() {
					t.Fatalf("after step %d", step)
				}
			}
			w.wantFiles(t)
			fresh, loading := f.index()
			f.catchUp(loading)
			wantIndex(t, fresh, w.indexed())
		})
	}
}

func (w *world) step(t *testing.T) {
	t.Helper()
	n, c := w.random.IntN(paintings), w.catalogs[w.random.IntN(2)]
	id := worldIDs[n]
	collection := ingest.NewCollection(c, w.store, picture.DefaultLimits())
	profile := []palate.Profile{"me", "you"}[w.random.IntN(2)]
	switch op := w.random.IntN(20); {
	case op < 5:
		source := sourceOf(n)
		second := w.random.IntN(3) == 0
		if second {
			source.Address, source.Year = source.Address+"?again", 1800
		}
		added, err := collection.Add(t.Context(), painting(n), source)
		if w.deleted[n] {
			if !errors.Is(err, palate.ErrConflict) {
				t.Errorf("Add of a deleted image: got %v, want ErrConflict", err)
			}
			return
		}
		if err != nil || added.New == w.present[n] || added.ID != id {
			t.Errorf("Add: got %+v and %v, want New %v", added, err, !w.present[n])
		}
		if !w.present[n] && second {
			w.elsewhere[n], w.present[n] = true, true
			// The first source is the other one; add the usual one as well.
			_, err := collection.Add(t.Context(), painting(n), sourceOf(n))
			w.ok("Add", err)
		}
		w.present[n], w.elsewhere[n] = true, w.elsewhere[n] || second
	case op < 8:
		report, err := collection.EmbedPending(t.Context(), w.embedder, embedder.DefaultPipelineConfig(), nil)
		if want := len(w.present) - len(w.embedded); err != nil || report.Embedded != want {
			t.Errorf("EmbedPending: got %+v and %v, want %d embedded", report, err, want)
		}
		for n := range w.present {
			w.embedded[n] = true
		}
	case op < 14:
		verdict := []palate.Verdict{palate.Like, palate.Dislike, palate.Skip}[w.random.IntN(3)]
		_, err := c.Rate(t.Context(), catalog.Rating{Profile: profile, Image: id, Verdict: verdict, Shown: palate.ShownAPI})
		if !w.present[n] {
			if !errors.Is(err, palate.ErrNotFound) {
				t.Errorf("Rate of what is not there: got %v, want ErrNotFound", err)
			}
			return
		}
		w.ok("Rate", err)
		if w.judged[n] == nil {
			w.judged[n] = map[palate.Profile]palate.Verdict{}
		}
		w.judged[n][profile] = verdict
	case op < 16:
		if err := c.ClearRating(t.Context(), profile, id); err == nil {
			delete(w.judged[n], profile)
		}
	case op < 18:
		if w.random.IntN(3) == 0 {
			w.purge(t, collection, n)
			return
		}
		err := collection.Remove(t.Context(), id, "not art")
		if !w.present[n] {
			if !errors.Is(err, palate.ErrNotFound) {
				t.Errorf("Remove of what is not there: got %v, want ErrNotFound", err)
			}
			return
		}
		w.ok("Remove", err)
		w.thrown[n] = thrown{w.embedded[n], w.elsewhere[n]}
		delete(w.present, n)
		delete(w.embedded, n)
		delete(w.elsewhere, n)
		w.deleted[n] = true
	case op < 19:
		if was, there := w.thrown[n]; there {
			w.ok("Restore", collection.Restore(t.Context(), id))
			w.present[n] = true
			if was.embedded {
				w.embedded[n] = true
			}
			if was.elsewhere {
				w.elsewhere[n] = true
			}
			delete(w.thrown, n)
			delete(w.deleted, n)
		} else if w.deleted[n] {
			w.ok("LiftTombstone", c.LiftTombstone(t.Context(), id))
			delete(w.deleted, n)
		}
	default:
		last, err := c.LastChange(t.Context())
		w.ok("LastChange", err)
		w.ok("CompactChanges", c.CompactChanges(t.Context(), last/2))
	}
}

// purge removes a painting for good, from the trash too.
func (w *world) purge(t *testing.T, collection *ingest.Collection, n int) {
	t.Helper()
	err := collection.Purge(t.Context(), worldIDs[n], "not art")
	if _, there := w.thrown[n]; !there && !w.present[n] {
		if !errors.Is(err, palate.ErrNotFound) {
			t.Errorf("Purge of what is not there: got %v, want ErrNotFound", err)
		}
		return
	}
	w.ok("Purge", err)
	delete(w.present, n)
	delete(w.embedded, n)
	delete(w.elsewhere, n)
	delete(w.thrown, n)
	w.deleted[n] = true
}

// indexed is what the index should hold. Ratings outlive a deletion.
func (w *world) indexed() indexed {
	want := indexed{}
	for n := range w.embedded {
		a := point(n)
		if w.elsewhere[n] {
			a.Years = append(a.Years, 1800)
		}
		a.Verdicts = map[palate.Profile]palate.Verdict{}
		for p, v := range w.judged[n] {
			if v != palate.Skip {
				a.Verdicts[p] = v
			}
		}
		want[worldIDs[n]] = a
	}
	return want
}

// wantFiles fails unless there is a file of every row and a row of every file.
func (w *world) wantFiles(t *testing.T) {
	t.Helper()
	for n, id := range worldIDs {
		_, inTrash := w.thrown[n]
		if has, err := w.store.Has(t.Context(), id); err != nil || has != (w.present[n] || inTrash) {
			t.Errorf("painting %d: got a file %v (%v), want %v", n, has, err, w.present[n] || inTrash)
		}
	}
}

// describing counts the images whose sources are read.
type describing struct {
	catalog.Catalog
	described int
}

func (c *describing) AttributesOf(ctx context.Context, ids []palate.ImageID) (map[palate.ImageID]index.Attributes, error) {
	c.described += len(ids)
	return c.Catalog.AttributesOf(ctx, ids)
}

// Whoever rates a thousand images waits until the index knows, and reading the
// sources of all of them took longer than everything else.
func TestAJudgementIsFollowedWithoutReadingSources(t *testing.T) {
	f := newFixture(t)
	ids := f.add(0, 4)
	f.embed()
	ix, err := flat.New(f.embedder.Model(), f.embedder.Dim())
	f.ok("New", err)
	c := &describing{Catalog: f.catalog}
	follower := ingest.NewFollower(c, ix, "", slog.New(slog.DiscardHandler))
	f.catchUp(follower)
	c.described = 0
	f.rate(ids[0], "me", palate.Like)
	f.rate(ids[1], "me", palate.Dislike)
	f.rate(ids[1], "me", palate.Skip)
	f.catchUp(follower)
	if c.described != 0 {
		t.Errorf("the sources of %d images were read to follow what was said of two", c.described)
	}
	liked, judged := point(0), point(2)
	liked.Verdicts = map[palate.Profile]palate.Verdict{"me": palate.Like}
	judged.Verdicts = map[palate.Profile]palate.Verdict{"me": palate.Like}
	wantIndex(t, ix, indexed{ids[0]: liked, ids[1]: point(1), ids[2]: point(2), ids[3]: point(3)})
	f.rate(ids[2], "me", palate.Like)
	f.rate(ids[3], "me", palate.Like)
	f.ok("Remove", f.collection.Remove(t.Context(), ids[3], "a duplicate"))
	f.catchUp(follower)
	wantIndex(t, ix, indexed{ids[0]: liked, ids[1]: point(1), ids[2]: judged})
}
