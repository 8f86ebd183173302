package collection_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"log/slog"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/works"
	"github.com/palate-art/palate/test/copies"
)

// opened is a collection that a server serves.
type opened struct {
	model *collection.Model
	added int
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for by := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(by) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// add adds the next copy of a painting, and waits until it is embedded.
func (o *opened) add(t *testing.T, seed uint64) {
	t.Helper()
	m := copies.Painting(seed, 300, 220)
	for _, kind := range copies.Kinds {
		if o.added > 0 && kind.Name == "in warm light" {
			var err error
			m, err = kind.Make(rand.New(rand.NewPCG(1, 1)), m)
			must(t, err)
		}
	}
	var file bytes.Buffer
	must(t, png.Encode(&file, m))
	// What follows the picture makes it another file.
	fmt.Fprintf(&file, "%d", o.added)
	_, err := o.model.Pictures.Add(t.Context(), file.Bytes(), palate.Source{Address: fmt.Sprintf("https://copies.example/%d", o.added)})
	must(t, err)
	o.added++
	until(t, "embedding", func() bool {
		n, err := o.model.Catalog.CountEmbeddings(t.Context(), o.model.Embedder.Model())
		must(t, err)
		return n == o.added
	})
}

// searches are the jobs that looked for copies, the newest first.
func (o *opened) searches(t *testing.T) (found []catalog.Run) {
	t.Helper()
	runs, err := o.model.Catalog.ListRuns(t.Context(), 0, 100)
	must(t, err)
	for _, r := range runs {
		if r.Kind == string(job.Copies) {
			found = append(found, r)
		}
	}
	return found
}

// known waits until so many images are of one work, and none is left.
func (o *opened) known(t *testing.T, images int) {
	t.Helper()
	until(t, fmt.Sprintf("a work of %d images", images), func() bool {
		n, err := o.model.Catalog.CountCopies(t.Context(), works.Version)
		must(t, err)
		return n.NotLookedAt == 0 && n.Works == 1 && n.Images == images
	})
}

// ended waits for so many searches, of which the last has ended, and checks how
// many images that one looked at.
func (o *opened) ended(t *testing.T, what string, searches, lookedAt int) {
	t.Helper()
	until(t, what, func() bool {
		all := o.searches(t)
		return len(all) == searches && all[0].State != catalog.Running
	})
	var report works.Report
	last := o.searches(t)[0]
	if err := json.Unmarshal(last.Result, &report); err != nil || last.State != catalog.Succeeded || report.LookedAt != lookedAt {
		t.Errorf("%s: got a search that %s, with %s (%s); want %d images to be looked at", what, last.State, last.Result, last.Error, lookedAt)
	}
}

// A server looks at new pictures for copies once somebody has looked for copies, as
// a job, and never while another is at it; before it does not.
func TestAServerLooksAtNewPicturesForCopies(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	config := collection.DefaultConfig(t.TempDir(), t.TempDir())
	config.Models.Asked.Model = baseline.Name
	c, err := collection.Open(ctx, config, collection.Silent{}, slog.New(slog.DiscardHandler))
	must(t, err)
	defer c.Close()
	m, err := c.OpenModel(ctx)
	must(t, err)
	defer m.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ended := make(chan error, 1)
	go func() {
		ended <- m.Serve(ctx, listener, collection.ServeOptions{Embed: true, CopiesEvery: time.Millisecond, Version: "test",
			Answer: func(*collection.Model) (func(context.Context, net.Listener) error, error) {
				return func(ctx context.Context, _ net.Listener) error { <-ctx.Done(); return nil }, nil
			}})
	}()
	defer func() {
		stop()
		must(t, <-ended)
	}()
	o := &opened{model: m}
	o.add(t, 7)
	o.add(t, 7)
	o.add(t, 8)
	if all := o.searches(t); len(all) > 0 {
		t.Fatalf("nobody asked, and got %d searches", len(all))
	}
	_, err = m.LookForCopies(ctx)
	must(t, err)
	o.ended(t, "what was asked for", 1, 3)
	o.known(t, 2)

	o.add(t, 7)
	o.known(t, 3)
	o.ended(t, "one more", 2, 1)

	var held catalog.Lease
	until(t, "the lease of searches", func() bool {
		held, err = m.Catalog.AcquireLease(ctx, "copies")
		if !errors.Is(err, palate.ErrConflict) {
			must(t, err)
		}
		return err == nil
	})
	o.add(t, 7)
	asked := make(chan error, 1)
	go func() {
		_, err := m.LookForCopies(ctx)
		asked <- err
	}()
	until(t, "a search that waits", func() bool { return len(o.searches(t)) == 3 })
	if first := o.searches(t)[0]; first.State != catalog.Running {
		t.Errorf("while another is at it: got a search that %s, want it to wait", first.State)
	}
	must(t, held.Release())
	must(t, <-asked)
	o.known(t, 4)

	// What a search of another version looked at is looked at anew, when something
	// comes or a server begins.
	all, err := m.Catalog.NotLookedAt(ctx, works.Version+1, m.Embedder.Model(), palate.ImageID{}, 100)
	must(t, err)
	must(t, m.Catalog.PutCopies(ctx, works.Version-1, all, nil))
	o.add(t, 9)
	o.known(t, 4)
}
