package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
)

func testPut(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	ok(t, "Ready", s.Ready(t.Context()))
	for n, file := range [][]byte{content(1), content(2), {}, bytes.Repeat([]byte{0}, 300_000)} {
		// Small pieces are what a slow network gives.
		stored, err := s.Put(t.Context(), iotest.HalfReader(bytes.NewReader(file)), int64(len(file)))
		ok(t, "Put", err)
		want := imagestore.Stored{ID: idOf(file), SHA256: sha256.Sum256(file), Bytes: int64(len(file))}
		if stored != want {
			t.Errorf("file %d: got %+v, want %+v", n, stored, want)
		}
		wantFile(t, s, file)
		wantFile(t, again(), file)
		// The same content, whose hash is known, is there; another comes.
		want.Existed = true
		stored, err = again().PutContent(t.Context(), want.SHA256, file)
		ok(t, "PutContent", err)
		other := append(bytes.Clone(file), 'x')
		fresh, err := s.PutContent(t.Context(), sha256.Sum256(other), other)
		ok(t, "PutContent", err)
		if stored != want || fresh != (imagestore.Stored{ID: idOf(other), SHA256: sha256.Sum256(other), Bytes: int64(len(other))}) {
			t.Errorf("file %d: PutContent gives %+v and %+v", n, stored, fresh)
		}
		wantFile(t, again(), other)
	}
	f, err := s.Open(t.Context(), idOf(content(1)))
	ok(t, "Open", err)
	defer f.Close()
	at, err := f.Seek(-5, io.SeekEnd)
	ok(t, "Seek", err)
	tail, err := io.ReadAll(f)
	if want := content(1)[at:]; err != nil || !bytes.Equal(tail, want) || len(want) != 5 {
		t.Errorf("behind a seek: got %q and %v, want %q", tail, err, want)
	}
	wantNoFile(t, s, idOf(content(9)))
}

func testPutAgain(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	id := put(t, s, content(1))
	for _, handle := range []imagestore.Store{s, again(), s} {
		stored, err := handle.Put(t.Context(), bytes.NewReader(content(1)), enough)
		ok(t, "Put", err)
		if !stored.Existed || stored.ID != id {
			t.Errorf("got %+v, want the image of before", stored)
		}
	}
	wantIDs(t, s, id)
	wantFile(t, s, content(1))
	if swept := sweepAll(t, s, id); swept != (imagestore.Swept{}) {
		t.Errorf("%+v unfinished files were left", swept)
	}
}

func testPutRefused(t *testing.T, s imagestore.Store, _ func() imagestore.Store) {
	file := content(3)
	_, err := s.Put(t.Context(), bytes.NewReader(file), int64(len(file)-1))
	wantKind(t, "one byte too many", err, palate.ErrInvalid)
	broken := errors.New("the line is cut")
	_, err = s.Put(t.Context(), io.MultiReader(bytes.NewReader(file), iotest.ErrReader(broken)), enough)
	wantKind(t, "a reader that fails", err, broken)
	if errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("a reader that fails: got %v, want no blame on the store", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = s.Put(ctx, io.MultiReader(bytes.NewReader(file), readerFunc(func([]byte) (int, error) {
		cancel()
		return 0, nil
	})), enough)
	wantKind(t, "cancelled on the way", err, context.Canceled)
	_, err = s.Open(ctx, idOf(file))
	wantKind(t, "Open with an ended context", err, context.Canceled)
	wantIDs(t, s)
	wantNoFile(t, s, idOf(file))
	if swept := sweepAll(t, s); swept != (imagestore.Swept{}) {
		t.Errorf("%+v unfinished files were left", swept)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func testDelete(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	id, other := put(t, s, content(1)), put(t, s, content(2))
	ok(t, "Delete", again().Delete(t.Context(), id))
	wantNoFile(t, s, id)
	ok(t, "Delete of what is gone", s.Delete(t.Context(), id))
	ok(t, "Delete of what never was", s.Delete(t.Context(), idOf(content(9))))
	wantIDs(t, s, other)
	stored, err := s.Put(t.Context(), bytes.NewReader(content(1)), enough)
	if err != nil || stored.Existed {
		t.Errorf("put after a deletion: got %+v and %v, want a new file", stored, err)
	}
	wantFile(t, s, content(1))
}

func testWalk(t *testing.T, s imagestore.Store, _ func() imagestore.Store) {
	wantIDs(t, s)
	var ids []palate.ImageID
	for n := range 40 {
		ids = append(ids, put(t, s, content(n)))
	}
	wantIDs(t, s, ids...)
	stop, visits := errors.New("enough seen"), 0
	err := s.Walk(t.Context(), func(palate.ImageID) error {
		if visits++; visits == 3 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || visits != 3 {
		t.Errorf("a visit that fails: got %v after %d visits, want its error after 3", err, visits)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = s.Walk(ctx, func(palate.ImageID) error { cancel(); return nil })
	wantKind(t, "a walk that is cancelled", err, context.Canceled)
	// A walk may delete what it visits.
	ok(t, "Walk", s.Walk(t.Context(), func(id palate.ImageID) error { return s.Delete(t.Context(), id) }))
	wantIDs(t, s)
}

func testPutTogether(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	file := bytes.Repeat(content(5), 20)
	handles := []imagestore.Store{s, again()}
	var wait sync.WaitGroup
	for n := range 16 {
		wait.Go(func() {
			stored, err := handles[n%2].Put(t.Context(), bytes.NewReader(file), enough)
			if err != nil || stored.ID != idOf(file) || stored.Bytes != int64(len(file)) {
				t.Errorf("got %+v and %v", stored, err)
				return
			}
			// Whoever has put it can open it, whoever was first.
			if got, err := read(t.Context(), handles[n%2], stored.ID); err != nil || !bytes.Equal(got, file) {
				t.Errorf("behind its Put: got %d bytes and %v, want %d", len(got), err, len(file))
			}
		})
	}
	wait.Wait()
	wantIDs(t, s, idOf(file))
	if swept := sweepAll(t, s, idOf(file)); swept != (imagestore.Swept{}) {
		t.Errorf("%+v unfinished files were left", swept)
	}
}

func testReadersBesideWriters(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	file, other := bytes.Repeat(content(6), 10), again()
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for range 20 {
				_, err := s.Put(t.Context(), bytes.NewReader(file), enough)
				if err = errors.Join(err, other.Delete(t.Context(), idOf(file))); err != nil {
					t.Errorf("put and delete: %v", err)
				}
			}
		})
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got, err := read(t.Context(), other, idOf(file))
				if err != nil && !errors.Is(err, palate.ErrNotFound) || err == nil && !bytes.Equal(got, file) {
					t.Errorf("got %d bytes and %v, want all %d or not found", len(got), err, len(file))
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	wantNoFile(t, s, idOf(file))
}
