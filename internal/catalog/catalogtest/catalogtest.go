// Package catalogtest is the conformance suite of catalog.Catalog.
package catalogtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Open makes an empty catalog. Again opens the same one by a further handle,
// as another process would. Both are closed by t.Cleanup; a test may close
// them earlier.
type Open func(t *testing.T) (c catalog.Catalog, again func() catalog.Catalog)

// Run holds an implementation against every sentence of the contract.
func Run(t *testing.T, open Open) {
	for _, group := range []struct {
		name string
		test func(*testing.T, Open)
	}{
		{"images", testImages},
		{"edits", testEdits},
		{"damage", testDamage},
		{"sketches", testSketches},
		{"copies", testCopies},
		{"facets", testFacets},
		{"tombstones", testTombstones},
		{"trash", testTrash},
		{"queries", testQueries},
		{"counts", testCounts},
		{"ratings", testRatings},
		{"merging", testMerging},
		{"profiles", testProfiles},
		{"embeddings", testEmbeddings},
		{"upgrades", testUpgrades},
		{"frontier", testFrontier},
		{"probes", testProbes},
		{"runs", testRuns},
		{"changes", testChanges},
		{"leases", testLeases},
		{"identity", testIdentity},
		{"clock", testClocks},
		{"inspections", testInspections},
		{"together", testTogether},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			group.test(t, open)
		})
	}
}

// cases runs each claim on an empty catalog of its own.
func cases(t *testing.T, open Open, claims map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog)) {
	for name, claim := range claims {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, again := open(t)
			claim(t, c, again)
		})
	}
}

var day = time.Date(2024, 2, 29, 12, 30, 15, 123456789, time.UTC)

// picture makes the n-th image of a test.
func picture(n int) catalog.Image {
	sum := sha256.Sum256(fmt.Append(nil, "picture ", n))
	return catalog.Image{
		ID: palate.NewImageID(sum), SHA256: sum, Bytes: int64(1000 + n), Format: "jpeg",
		Width: 640 + n, Height: 480, AddedAt: day.Add(time.Duration(n) * time.Second),
	}
}

func sourceOf(n int) palate.Source {
	return palate.Source{
		Address: fmt.Sprintf("https://img.example/%d.jpg", n), Page: fmt.Sprintf("https://example/page/%d", n), Site: "example",
		ExternalID: fmt.Sprintf("obj-%d", n), OriginalName: fmt.Sprintf("%d.jpg", n), Title: fmt.Sprintf("Picture %d", n),
		Artist: fmt.Sprintf("Artist %d", n%3), Year: 1900 + n, Date: fmt.Sprintf("c. %d", 1900+n), Medium: "oil",
		Categories: []string{"paintings", fmt.Sprintf("parity %d", n%2)}, Licence: "CC0", LicenceURL: "https://cc0.example",
		Credit: "a gift", RetrievedAt: day,
	}
}

// fill adds n pictures, each with one source, and returns their ids.
func fill(t *testing.T, c catalog.Catalog, n int) []palate.ImageID {
	t.Helper()
	ids := make([]palate.ImageID, n)
	for i := range n {
		ids[i] = add(t, c, picture(i), sourceOf(i))
	}
	return ids
}

func add(t *testing.T, c catalog.Catalog, i catalog.Image, s palate.Source) palate.ImageID {
	t.Helper()
	if _, err := c.AddImage(t.Context(), i, s, nil); err != nil {
		t.Fatalf("AddImage: %v", err)
	}
	return i.ID
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

// must is for calls that give a value: must(c.Image(ctx, id))(t).
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatalf("got error %v, want none", err)
		}
		return v
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func equalList[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func idsOf(images []catalog.Image) []palate.ImageID {
	ids := make([]palate.ImageID, len(images))
	for i, image := range images {
		ids[i] = image.ID
	}
	return ids
}

func backwards[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// unit makes a random vector of length 1.
func unit(r *rand.Rand, dim int) palate.Embedding {
	e := make(palate.Embedding, dim)
	var sum float64
	for i := range e {
		e[i] = float32(r.NormFloat64())
		sum += float64(e[i]) * float64(e[i])
	}
	for i := range e {
		e[i] = float32(float64(e[i]) / math.Sqrt(sum))
	}
	return e
}

// unchanged fails if f wrote anything that is numbered.
func unchanged(t *testing.T, c catalog.Catalog, what string, f func()) {
	t.Helper()
	before := must(c.LastChange(context.Background()))(t)
	f()
	if after := must(c.LastChange(context.Background()))(t); after != before {
		t.Errorf("%s: the last change went from %d to %d, want it to stay", what, before, after)
	}
}
