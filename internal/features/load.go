package features

import (
	"archive/zip"
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/palate-art/palate/internal/regular"
)

// The names that arrays in a .npz go by.
var (
	featureArrays = []string{"X", "x", "features", "embeddings", "embedding", "img_emb", "image_embeddings", "arr_0"}
	labelArrays   = []string{"y", "Y", "labels", "label", "liked", "arr_1"}
)

// Load reads features from a .npy, .npz or .parquet file or from a folder of
// clip-retrieval's, and labels from a file of the same kinds; without a file
// of labels they must be beside the features. What can't be read or does not
// fit together is palate.ErrInvalid and says which file and what.
func Load(features, labels string) (*Table, error) {
	t, err := loadFeatures(features)
	if err != nil {
		return nil, err
	}
	from := features
	if labels != "" {
		from = labels
		if t.values, err = loadValues(labels); err != nil {
			return nil, err
		}
	}
	if t.values != nil {
		if t.Labels, err = labelsOf(t.values); err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
	}
	if t.Labels == nil {
		return nil, invalid("%s has no labels beside the features: name a file of them with --labels", features)
	}
	return t, t.check(features)
}

// LoadRows reads features alone, as Load does.
func LoadRows(path string) ([][]float32, error) {
	t, err := loadFeatures(path)
	if err != nil {
		return nil, err
	}
	t.Labels, t.Artists, t.Sites = make([]bool, len(t.Rows)), nil, nil
	return t.Rows, t.check(path)
}

// check reports what does not fit together.
func (t *Table) check(path string) error {
	if len(t.Rows) == 0 {
		return invalid("%s has no rows", path)
	}
	if len(t.Labels) != len(t.Rows) {
		return invalid("%s has %d rows, but there are %d labels", path, len(t.Rows), len(t.Labels))
	}
	for _, names := range [][]string{t.Artists, t.Sites} {
		if names != nil && len(names) != len(t.Rows) {
			return invalid("%s has %d rows, but %d names beside them", path, len(t.Rows), len(names))
		}
	}
	dim := len(t.Rows[0])
	for i, row := range t.Rows {
		if len(row) != dim || dim == 0 {
			return invalid("row %d of %s has %d values and row 0 has %d, want the same above 0", i, path, len(row), dim)
		}
		for j, v := range row {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return invalid("value %d of row %d of %s is %v", j, i, path, v)
			}
		}
	}
	return nil
}

func loadFeatures(path string) (*Table, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return loadFolder(path)
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npy":
		a, err := readFile(path)
		if err != nil {
			return nil, err
		}
		rows, err := a.rows()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return &Table{Rows: rows}, nil
	case ".npz":
		return loadZip(path)
	case ".parquet":
		p, err := openParquet(path)
		if err != nil {
			return nil, err
		}
		t, err := p.table(path)
		return t, errors.Join(err, p.close())
	}
	return nil, invalid("%s is none of .npy, .npz, .parquet and a folder of clip-retrieval's", path)
}

// loadValues reads labels as the numbers that they are.
func loadValues(path string) ([]float32, error) {
	var values []float32
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npy":
		a, err := readFile(path)
		if err != nil {
			return nil, err
		}
		if values, err = a.column(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	case ".npz":
		arrays, err := openZip(path)
		if err != nil {
			return nil, err
		}
		a, err := arrays.find(labelArrays, "labels")
		if err == nil {
			values, err = a.column()
		}
		if err = errors.Join(err, arrays.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	case ".parquet":
		p, err := openParquet(path)
		if err != nil {
			return nil, err
		}
		t := &Table{}
		err = errors.Join(p.describe(path, t), p.close())
		if err == nil && t.values == nil {
			err = invalid("%s has no column label, liked or y", path)
		}
		return t.values, err
	default:
		return nil, invalid("%s is none of .npy, .npz and .parquet", path)
	}
	return values, nil
}

// labelsOf takes 1 as a like, and 0 or -1, not both, as a dislike.
func labelsOf(values []float32) ([]bool, error) {
	labels := make([]bool, len(values))
	var dislike float32 = math.MaxFloat32 // not seen yet
	for i, v := range values {
		switch {
		case v == 1:
			labels[i] = true
		case (v == 0 || v == -1) && (dislike == math.MaxFloat32 || dislike == v):
			dislike = v
		default:
			return nil, invalid("label %d is %v, want 1 for a like and 0 (or everywhere -1) for a dislike", i, v)
		}
	}
	return labels, nil
}

func readFile(path string) (*array, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	a, err := readNPY(bufio.NewReaderSize(f, chunkBytes))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// rows cuts a matrix into its rows, which share its memory.
func (a *array) rows() ([][]float32, error) {
	if len(a.shape) != 2 {
		return nil, invalid("an array of shape %v, want two dimensions: one row for each image", a.shape)
	}
	n, dim := a.shape[0], a.shape[1]
	if n == 0 || dim == 0 || dim > maxDim {
		return nil, invalid("an array of shape %v, want rows of 1 to %d values", a.shape, maxDim)
	}
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = a.values[i*dim : (i+1)*dim : (i+1)*dim]
	}
	return rows, nil
}

// column takes an array of one dimension, or of one column.
func (a *array) column() ([]float32, error) {
	if len(a.shape) == 1 || len(a.shape) == 2 && a.shape[1] == 1 {
		return a.values, nil
	}
	return nil, invalid("labels of shape %v, want one dimension", a.shape)
}

// zipped is a .npz: a zip of .npy files.
type zipped struct {
	*zip.Reader
	io.Closer
}

func openZip(path string) (*zipped, error) {
	file, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	z, err := zip.NewReader(file, info.Size())
	if err != nil {
		_ = file.Close() // only read
		return nil, invalid("%s is no .npz file: it is no zip (%v)", path, err)
	}
	return &zipped{z, file}, nil
}

// find reads the array with one of the names, or the only one.
func (z *zipped) find(names []string, what string) (*array, error) {
	var all []string
	var chosen *zip.File
	for _, f := range z.File {
		all = append(all, strings.TrimSuffix(f.Name, ".npy"))
	}
	for _, name := range names {
		if i := slices.Index(all, name); i >= 0 {
			chosen = z.File[i]
			break
		}
	}
	if chosen == nil && len(all) == 1 && what == "features" {
		chosen = z.File[0]
	}
	if chosen == nil {
		return nil, invalid("the .npz has the arrays %s, none of which is named for %s: want one of %s", strings.Join(all, ", "), what, strings.Join(names, ", "))
	}
	r, err := chosen.Open()
	if err != nil {
		return nil, invalid("array %s can't be read (%v)", chosen.Name, err)
	}
	a, err := readNPY(bufio.NewReaderSize(r, chunkBytes))
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(r, chunkBytes)) // the end has the checksum
		if err != nil {
			err = invalid("it is not whole (%v)", err)
		}
	}
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("array %s: %w", chosen.Name, err)
	}
	return a, nil
}

func loadZip(path string) (*Table, error) {
	z, err := openZip(path)
	if err != nil {
		return nil, err
	}
	t := &Table{}
	a, err := z.find(featureArrays, "features")
	if err == nil {
		t.Rows, err = a.rows()
	}
	if err == nil && len(z.File) > 1 {
		if labels, missing := z.find(labelArrays, "labels"); missing == nil {
			t.values, err = labels.column()
		}
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// loadFolder reads the parts that clip-retrieval writes, in the order of their
// names, whose numbers have leading zeros.
func loadFolder(path string) (*Table, error) {
	parts, err := filepath.Glob(filepath.Join(path, "img_emb", "img_emb_*.npy"))
	if err != nil || len(parts) == 0 {
		return nil, invalid("%s has no %s: a folder of clip-retrieval's was expected", path, filepath.Join("img_emb", "img_emb_0.npy"))
	}
	slices.SortFunc(parts, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	t := &Table{}
	for _, name := range parts {
		a, err := readFile(name)
		if err != nil {
			return nil, err
		}
		rows, err := a.rows()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		t.Rows = append(t.Rows, rows...)
		number := strings.TrimPrefix(strings.TrimSuffix(filepath.Base(name), ".npy"), "img_emb_")
		metadata := filepath.Join(path, "metadata", "metadata_"+number+".parquet")
		p, err := openParquet(metadata)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err = errors.Join(p.describe(metadata, t), p.close()); err != nil {
			return nil, err
		}
	}
	return t, nil
}
