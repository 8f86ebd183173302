package storetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
)

// shelf is a store as plain Go: what is kept, and each one's thumbnails.
type shelf map[palate.ImageID]map[int]string

// testModel does the same to a store, over two handles, and to a shelf.
func testModel(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	random := rand.New(rand.NewPCG(5, 6))
	handles := []imagestore.Store{s, again()}
	kept := shelf{}
	for step := range 400 {
		s, file, width := handles[random.IntN(2)], content(random.IntN(8)), 32<<random.IntN(3)
		id := idOf(file)
		thumbs, there := kept[id]
		switch op := random.IntN(20); {
		case op < 7:
			stored, err := s.Put(t.Context(), bytes.NewReader(file), enough)
			if err != nil || stored.Existed != there {
				t.Errorf("Put: got %+v and %v, want Existed %v", stored, err, there)
			}
			if !there {
				kept[id] = map[int]string{}
			}
		case op < 11:
			ok(t, "Delete", s.Delete(t.Context(), id))
			delete(kept, id)
		case op < 16:
			jpeg := fmt.Sprint("thumbnail of step ", step)
			err := s.PutThumbnail(t.Context(), id, width, []byte(jpeg))
			if !there {
				wantKind(t, "PutThumbnail without an image", err, palate.ErrNotFound)
				break
			}
			ok(t, "PutThumbnail", err)
			thumbs[width] = jpeg
		case op < 18:
			sweepAll(t, s, id)
			for other := range kept {
				if other != id {
					delete(kept, other)
				}
			}
		}
		kept.compare(t, handles[random.IntN(2)])
		if t.Failed() {
			t.Fatalf("after step %d", step)
		}
	}
}

func (k shelf) compare(t *testing.T, s imagestore.Store) {
	t.Helper()
	var ids []palate.ImageID
	for n := range 8 {
		thumbs, there := k[idOf(content(n))]
		if there {
			ids = append(ids, idOf(content(n)))
			wantFile(t, s, content(n))
		} else {
			wantNoFile(t, s, idOf(content(n)))
		}
		for width := 32; width <= 128; width *= 2 {
			wantThumbnail(t, s, idOf(content(n)), width, thumbs[width])
		}
	}
	wantIDs(t, s, ids...)
}
