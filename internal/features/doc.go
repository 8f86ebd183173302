// Package features reads anybody's embeddings and labels from files: NumPy's
// .npy (versions 1 to 3, float16 to float64, either byte and memory order) and
// .npz, Parquet with a list column or a column for each feature, and the
// folder that clip-retrieval writes (img_emb/img_emb_0.npy …,
// metadata/metadata_0.parquet …).
//
// Files are not trusted: memory grows with what has been read, not with what
// a header promises, and nothing in a file is executed: arrays of Python
// objects, which are pickles, are refused.
//
// The .npy format is described in NumPy Enhancement Proposal 1 and in the
// documentation of numpy.lib.format.
package features

import (
	"fmt"

	"github.com/palate-art/palate"
)

// Table is rows of features with what a file says of them.
type Table struct {
	// Rows have one length, above 0, and finite values.
	Rows [][]float32
	// Labels has one for each row, or is nil.
	Labels []bool
	// Artists and Sites have one for each row, or are nil.
	Artists, Sites []string

	values []float32 // the labels as numbers, of each row, or nil
	names  []string  // of images, where a file has them
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), palate.ErrInvalid)
}
