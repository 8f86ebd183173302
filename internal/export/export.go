package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Format is a form in which rows are written.
type Format string

// The formats.
const (
	NDJSON  Format = "ndjson"  // a JSON object on each line
	CSV     Format = "csv"     // comma-separated, the first line names the columns; no embeddings
	Parquet Format = "parquet" // embeddings in a column of lists
	NPZ     Format = "npz"     // NumPy: X float32 [n, dim], ids and, of rated pictures alone, y of 1 (like) and 0
	Clip    Format = "clip"    // a folder: img_emb/img_emb_0.npy beside metadata/metadata_0.parquet
)

// FormatOf tells the format from the ending of a name. Its error is
// palate.ErrInvalid.
func FormatOf(name string) (Format, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".ndjson", ".jsonl":
		return NDJSON, nil
	case ".csv":
		return CSV, nil
	case ".parquet":
		return Parquet, nil
	case ".npz":
		return NPZ, nil
	case "":
		return Clip, nil
	}
	return "", fmt.Errorf("%s does not end in .ndjson, .csv, .parquet or .npz, nor is it a folder's name: %w", name, palate.ErrInvalid)
}

// Catalog is what is read.
type Catalog interface {
	catalog.Images
	catalog.Ratings
	catalog.Embeddings
}

// Query says which rows are written.
type Query struct {
	Profile palate.Profile // whose verdicts
	Rated   bool           // only what the profile likes or dislikes
	// Model, if not empty, adds its embeddings, and leaves out what has none.
	// NPZ and Clip want it, CSV refuses it.
	Model palate.ModelID
	Dim   int // of Model
	// NamesOnly leaves of a file's path in a folder its last element: a path
	// tells how this machine's disk is laid out.
	NamesOnly bool
	// Progress, if not nil, is told how many rows were written.
	Progress func(rows int)
}

// batch is how many pictures are read at a time.
const batch = 500

// writer is one format.
type writer interface {
	write([]Row) error
	close() error
}

// To writes to w in any format but Clip. What format and query do not allow
// together is palate.ErrInvalid.
func To(ctx context.Context, w io.Writer, c Catalog, format Format, q Query) (rows int, err error) {
	if err := check(format, q); err != nil {
		return 0, err
	}
	var to writer
	switch format {
	case NDJSON:
		to = newNDJSON(w)
	case CSV:
		to = newCSV(w)
	case Parquet:
		to = newParquet(w)
	case NPZ:
		if to, err = newNPZ(w, q); err != nil {
			return 0, err
		}
	default:
		return 0, fmt.Errorf("%q is written into a folder, not as a stream: %w", format, palate.ErrInvalid)
	}
	return each(ctx, c, q, to)
}

// ToFolder writes Clip into a folder that must not be there or be empty.
func ToFolder(ctx context.Context, folder string, c Catalog, q Query) (rows int, err error) {
	if err := check(Clip, q); err != nil {
		return 0, err
	}
	if there, err := os.ReadDir(folder); err == nil && len(there) > 0 {
		return 0, fmt.Errorf("the folder %s is not empty; nothing was written: %w", folder, palate.ErrConflict)
	}
	to, err := newClip(folder, q)
	if err != nil {
		return 0, err
	}
	return each(ctx, c, q, to)
}

func check(format Format, q Query) error {
	switch {
	case format == CSV && q.Model != "":
		return fmt.Errorf("CSV holds no embeddings; choose NDJSON, Parquet, .npz or clip-retrieval's folder: %w", palate.ErrInvalid)
	case (format == NPZ || format == Clip) && q.Model == "":
		return fmt.Errorf("%s holds embeddings, and no model was named whose they are: %w", format, palate.ErrInvalid)
	}
	return nil
}

// each reads the catalog page by page, so that memory does not grow with it.
func each(ctx context.Context, c Catalog, q Query, to writer) (rows int, err error) {
	defer func() { err = errors.Join(err, to.close()) }()
	standing, err := ratings(ctx, c, q.Profile)
	if err != nil {
		return 0, err
	}
	put := func(images []catalog.Image, vectors []catalog.ImageEmbedding) error {
		var some []Row
		for _, image := range images {
			row := rowOf(image, standing[image.ID])
			if q.NamesOnly && row.Site == "folder" {
				row.Address = row.Address[strings.LastIndexAny(row.Address, `/\`)+1:]
			}
			if q.Rated && !row.judged() {
				continue
			}
			if q.Model != "" {
				i := slices.IndexFunc(vectors, func(v catalog.ImageEmbedding) bool { return v.ID == image.ID })
				if i < 0 {
					continue
				}
				row.Vector, vectors = vectors[i].Embedding, vectors[i+1:]
			}
			some = append(some, row)
		}
		rows += len(some)
		if err := to.write(some); err != nil {
			return err
		}
		if q.Progress != nil {
			q.Progress(rows)
		}
		return nil
	}
	for query := (catalog.ImageQuery{Order: catalog.Oldest, Limit: batch}); ; {
		page, err := c.ListImages(ctx, query)
		if err != nil {
			return rows, err
		}
		var vectors []catalog.ImageEmbedding
		if q.Model != "" {
			ids := make([]palate.ImageID, len(page.Images))
			for i, image := range page.Images {
				ids[i] = image.ID
			}
			if vectors, err = c.EmbeddingsOf(ctx, q.Model, ids); err != nil {
				return rows, err
			}
		}
		if err := put(page.Images, vectors); err != nil {
			return rows, err
		}
		if query.After = page.Next; page.Next == "" {
			return rows, nil
		}
	}
}

func ratings(ctx context.Context, c Catalog, p palate.Profile) (map[palate.ImageID]catalog.Rating, error) {
	out := map[palate.ImageID]catalog.Rating{}
	if p == "" {
		return out, nil
	}
	for query := (catalog.RatingQuery{Limit: 1000}); ; {
		page, err := c.StandingRatings(ctx, p, query)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			out[r.Image], query.Before = r, r.Entry
		}
		if len(page) < query.Limit {
			return out, nil
		}
	}
}
