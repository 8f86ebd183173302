package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/internal/works"
	"github.com/palate-art/palate/probe"
)

const (
	// drawnFiles is how many images have a file and thumbnails, for no
	// other operation looks at files.
	drawnFiles = 200
	batch      = 1000
	catalogDB  = "catalog.db"
)

var model = palate.ModelID(strings.Repeat("be", 32))

// words are what titles are made of; the first are common.
var words = strings.Fields("Landscape Portrait Evening River Garden Woman Child Study Winter Harbour Mountain Still-life Flowers Street Church Bridge Boats Horses Storm Moonlight Harvest Forest Lighthouse Cathedral Fishermen Windmill Orchard Shipwreck Carnival Skaters Self-portrait Annunciation Samovar Zeppelin 夜景 山水 富士")

// fill makes a collection of n images in a folder: pictures of some kinds, of
// which a person likes one in four, with titles, artists and years.
func fill(ctx context.Context, o options, n int, folder string) error {
	fast := folder
	if memory, err := os.MkdirTemp("/dev/shm", "palate-bench-api"); err == nil {
		fast = memory // where a commit takes no time
		defer os.RemoveAll(memory)
	}
	if err := fillCatalog(ctx, o, n, fast, folder); err != nil {
		return err
	}
	if fast == folder {
		return nil
	}
	return os.CopyFS(folder, os.DirFS(fast))
}

func fillCatalog(ctx context.Context, o options, n int, fast, folder string) (err error) {
	c, err := sqlite.Open(ctx, filepath.Join(fast, catalogDB), sqlite.DefaultConfig())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := c.PutModel(ctx, catalog.Model{ID: model, Name: "bench", Dim: o.dim}); err != nil {
		return err
	}
	store, err := disk.Open(filepath.Join(folder, "images"))
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(o.seed, uint64(n)))
	kinds := make([]palate.Embedding, 40)
	for i := range kinds {
		kinds[i] = direction(random, o.dim, nil, 0)
	}
	var embeddings []catalog.ImageEmbedding
	var ratings []catalog.Rating
	rated := random.Perm(n)[:o.ratings]
	isRated := make([]bool, n)
	for _, i := range rated {
		isRated[i] = true
	}
	for i := range n {
		content := binary.LittleEndian.AppendUint64(nil, uint64(i))
		if i < drawnFiles {
			if content, err = draw(random); err != nil {
				return err
			}
		}
		sum := sha256.Sum256(content)
		if i < drawnFiles {
			if _, err := store.PutContent(ctx, sum, content); err != nil {
				return err
			}
		}
		id, kind := palate.NewImageID(sum), random.IntN(len(kinds))
		if _, err := c.AddImage(ctx, catalog.Image{ID: id, SHA256: sum, Bytes: int64(len(content)), Format: "jpeg", Width: 640, Height: 480}, sourceOf(random, i), nil); err != nil {
			return err
		}
		embeddings = append(embeddings, catalog.ImageEmbedding{ID: id, Embedding: direction(random, o.dim, kinds[kind], .7)})
		if isRated[i] {
			verdict := palate.Dislike
			if likes := kind < len(kinds)/4; likes != (random.IntN(12) == 0) {
				verdict = palate.Like
			}
			ratings = append(ratings, catalog.Rating{Profile: palate.DefaultProfile, Image: id, Verdict: verdict, Shown: palate.ShownGallery})
		}
	}
	for some := range slices.Chunk(embeddings, batch) {
		if err := c.PutEmbeddings(ctx, model, some); err != nil {
			return err
		}
	}
	if err := fillWorks(ctx, c, embeddings); err != nil {
		return err
	}
	for some := range slices.Chunk(ratings, 500) {
		if err := c.RateAll(ctx, some); err != nil {
			return err
		}
	}
	return learn(ctx, c, o.dim)
}

// fillWorks makes works of three images each of three in ten, as a search for
// copies would leave them.
func fillWorks(ctx context.Context, c *sqlite.Catalog, images []catalog.ImageEmbedding) error {
	for some := range slices.Chunk(images, batch) {
		var looked []palate.ImageID
		var pairs [][2]palate.ImageID
		for i, e := range some {
			looked = append(looked, e.ID)
			if i%10 == 1 || i%10 == 2 {
				pairs = append(pairs, [2]palate.ImageID{some[i-1].ID, e.ID})
			}
		}
		if err := c.PutCopies(ctx, works.Version, looked, pairs); err != nil {
			return err
		}
	}
	return nil
}

// learn trains the taste that is served: a linear one, without the repeats by
// which it would be judged.
func learn(ctx context.Context, c *sqlite.Catalog, dim int) error {
	quiet := slog.New(slog.DiscardHandler)
	ix, err := flat.New(model, dim)
	if err != nil {
		return err
	}
	if _, err := ingest.NewFollower(c, ix, "", quiet).CatchUp(ctx); err != nil {
		return err
	}
	config := taste.DefaultConfig()
	config.Probe.Resamples, config.Probe.Folds, config.Probe.InnerFolds, config.Probe.NearDuplicates = 0, 2, 2, false
	tastes, err := taste.New(c, ix, config, quiet)
	if err != nil {
		return err
	}
	training, err := tastes.BeginAs(ctx, palate.DefaultProfile, probe.Logistic)
	if err != nil {
		return err
	}
	_, err = training.Finish(ctx)
	return err
}

// direction draws a vector of length 1, near another one if there is one.
func direction(random *rand.Rand, dim int, near palate.Embedding, share float64) palate.Embedding {
	e := make(palate.Embedding, dim)
	var norm float64
	for i := range e {
		v := random.NormFloat64() / math.Sqrt(float64(dim))
		if near != nil {
			v = share*float64(near[i]) + (1-share)*v
		}
		e[i] = float32(v)
		norm += v * v
	}
	for i := range e {
		e[i] /= float32(math.Sqrt(norm))
	}
	return e
}

func sourceOf(random *rand.Rand, i int) palate.Source {
	word := func() string { return words[min(int(random.ExpFloat64()*6), len(words)-1)] }
	return palate.Source{
		Site: "museum.example", Address: fmt.Sprintf("https://museum.example/%d.jpg", i), Page: fmt.Sprintf("https://museum.example/object/%d", i),
		Title: fmt.Sprintf("%s, %s, no. %d", word(), word(), i), Artist: fmt.Sprintf("Artist %d", int(random.ExpFloat64()*400)),
		Year: 1500 + random.IntN(500), Licence: "CC0", Categories: []string{word()}, Medium: "oil on canvas",
	}
}

// draw makes a picture that a thumbnail is worth making of.
func draw(random *rand.Rand) ([]byte, error) {
	m := image.NewRGBA(image.Rect(0, 0, 640, 480))
	a, b := random.Uint32(), random.Uint32()
	for y := range 480 {
		for x := range 640 {
			noise := uint8(random.Uint32() & 15)
			m.SetRGBA(x, y, color.RGBA{uint8(int(a&255)*x/640) + noise, uint8(int(b&255)*y/480) + noise, uint8(int(a>>8&255)*(x+y)/1120) + noise, 255})
		}
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, m, nil)
	return out.Bytes(), err
}
