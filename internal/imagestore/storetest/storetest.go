// Package storetest is the conformance suite of imagestore.Store and
// imagestore.InPlace.
package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
)

// Open makes an empty store. Again opens the same one by a further handle, as
// another process would.
type Open func(t *testing.T) (s imagestore.Store, again func() imagestore.Store)

// Run holds an implementation against every sentence of the contract of
// imagestore.Store.
func Run(t *testing.T, open Open) {
	run(t, open, map[string]claim{
		"what was put is opened as it was":         testPut,
		"the same picture is one file":             testPutAgain,
		"what can't be put leaves nothing":         testPutRefused,
		"a deleted file is gone and may return":    testDelete,
		"walk visits everything once":              testWalk,
		"one picture put by many at once":          testPutTogether,
		"readers beside writers see whole files":   testReadersBesideWriters,
		"thumbnails are kept by width":             testThumbnails,
		"thumbnails go with the image":             testThumbnailsGo,
		"sweep moves aside what nobody knows":      testSweep,
		"what was moved aside is brought back":     testBringBack,
		"thumbnails are visited and deleted":       testWalkThumbnails,
		"sweep leaves too many orphans alone":      testSweepTooMany,
		"sweep removes what was deleted":           testSweepDiscarded,
		"a mark is kept, its number only rises":    testMark,
		"sweep leaves what is stored meanwhile":    testSweepMeanwhile,
		"random operations agree with a plain map": testModel,
	})
}

// claim is one part of the suite, on an empty store of its own.
type claim func(t *testing.T, s imagestore.Store, again func() imagestore.Store)

func run(t *testing.T, open Open, claims map[string]claim) {
	for name, test := range claims {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, again := open(t)
			test(t, s, again)
		})
	}
}

// content is the n-th file of a test.
func content(n int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "picture %d, line upon line\n", n), 1+n*37%200)
}

func idOf(file []byte) palate.ImageID { return palate.NewImageID(sha256.Sum256(file)) }

const enough = 1 << 20

func put(t *testing.T, s imagestore.Store, file []byte) palate.ImageID {
	t.Helper()
	stored, err := s.Put(t.Context(), bytes.NewReader(file), enough)
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	return stored.ID
}

// read returns the file of an id.
func read(ctx context.Context, s imagestore.Store, id palate.ImageID) ([]byte, error) {
	f, err := s.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	file, err := io.ReadAll(f)
	return file, errors.Join(err, f.Close())
}

func wantFile(t *testing.T, s imagestore.Store, want []byte) {
	t.Helper()
	got, err := read(t.Context(), s, idOf(want))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes and error %v, want the %d that were stored", len(got), err, len(want))
	}
	if has, err := s.Has(t.Context(), idOf(want)); !has || err != nil {
		t.Errorf("Has: got %v, %v, want true", has, err)
	}
}

func wantNoFile(t *testing.T, s imagestore.Store, id palate.ImageID) {
	t.Helper()
	_, err := s.Open(t.Context(), id)
	wantKind(t, "Open of what is not there", err, palate.ErrNotFound)
	if has, err := s.Has(t.Context(), id); has || err != nil {
		t.Errorf("Has: got %v, %v, want false", has, err)
	}
}

// wantIDs fails unless the store holds these and no others.
func wantIDs(t *testing.T, s imagestore.Store, want ...palate.ImageID) {
	t.Helper()
	var got []palate.ImageID
	err := s.Walk(t.Context(), func(id palate.ImageID) error {
		got = append(got, id)
		return nil
	})
	if err != nil {
		t.Errorf("Walk: %v", err)
	}
	sort := func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) }
	slices.SortFunc(got, sort)
	want = slices.Clone(want)
	slices.SortFunc(want, sort)
	if !slices.Equal(got, want) {
		t.Errorf("the store holds %v, want %v", got, want)
	}
}

// wantKind fails unless err is of the kind.
func wantKind(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: got error %v, want %v", what, err, kind)
	}
}

func ok(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// every is an age that all files have, however coarse the clock is that
// dates them.
const every = -time.Hour

// rules sweep whatever is as old as that.
func rules(olderThan time.Duration) imagestore.SweepRules {
	return imagestore.SweepRules{OlderThan: olderThan, MaxOrphans: 100, KeepOrphans: time.Hour}
}

// fates wants the named and gives the others another fate.
func fates(wanted []palate.ImageID, others imagestore.Fate) func(context.Context, []palate.ImageID) ([]imagestore.Fate, error) {
	return func(_ context.Context, ids []palate.ImageID) ([]imagestore.Fate, error) {
		answer := make([]imagestore.Fate, len(ids))
		for i, id := range ids {
			if answer[i] = others; slices.Contains(wanted, id) {
				answer[i] = imagestore.Wanted
			}
		}
		return answer, nil
	}
}

// sweepAll moves everything aside but what is wanted.
func sweepAll(t *testing.T, s imagestore.Store, wanted ...palate.ImageID) imagestore.Swept {
	t.Helper()
	swept, err := s.Sweep(t.Context(), rules(every), fates(wanted, imagestore.Orphaned))
	ok(t, "Sweep", err)
	return swept
}
