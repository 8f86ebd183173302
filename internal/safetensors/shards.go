package safetensors

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/regular"
)

// IndexEnding is how the index of a model in several files is called behind.
const IndexEnding = ".safetensors.index.json"

// maxIndexBytes and maxShards bound what is read of an index.
const (
	maxIndexBytes = 16 << 20
	maxShards     = 1000
)

// Shards are the tensors of several safetensors files that an index names, as
// the hub lays out large models. It is safe for concurrent use.
type Shards struct {
	files []*File // in the order of their names
	in    map[string]*File
}

// ShardNames reads the names of the files that an index lists, in order. An
// index that is not there is palate.ErrNotFound, one that can't be read or that
// names files outside of its folder palate.ErrInvalid.
func ShardNames(index string) ([]string, error) {
	places, err := readIndex(index)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", index, err)
	}
	names := slices.Sorted(maps.Values(places))
	return slices.Compact(names), nil
}

func readIndex(path string) (map[string]string, error) {
	text, err := regular.ReadFile(path, maxIndexBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", palate.ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	var index struct {
		Places map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, fmt.Errorf("the index of a model in several files: %w: %w", palate.ErrInvalid, err)
	}
	names := map[string]bool{}
	for tensor, name := range index.Places {
		if filepath.Base(name) != name || !strings.HasSuffix(name, ".safetensors") {
			return nil, fmt.Errorf("the index says that tensor %q is in %q, want the name of a .safetensors file beside it: %w", tensor, name, palate.ErrInvalid)
		}
		names[name] = true
	}
	if len(names) == 0 || len(names) > maxShards {
		return nil, fmt.Errorf("the index names %d files, want 1 to %d: %w", len(names), maxShards, palate.ErrInvalid)
	}
	return index.Places, nil
}

// OpenShards opens the files that an index names. A file that is not there is
// palate.ErrNotFound; a tensor that is in another file than the index says, or
// in two, palate.ErrInvalid. The caller must Close them.
func OpenShards(index string) (*Shards, error) {
	places, err := readIndex(index)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", index, err)
	}
	names, err := ShardNames(index)
	if err != nil {
		return nil, err
	}
	s := &Shards{in: map[string]*File{}}
	for _, name := range names {
		file, err := OpenFile(filepath.Join(filepath.Dir(index), name))
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.files = append(s.files, file)
		for tensor := range file.tensors {
			if places[tensor] != name {
				return nil, errors.Join(fmt.Errorf("%s has tensor %q, of which %s says that it is in %q: %w", name, tensor, filepath.Base(index), places[tensor], palate.ErrInvalid), s.Close())
			}
			s.in[tensor] = file
		}
	}
	for tensor, name := range places {
		if s.in[tensor] == nil {
			return nil, errors.Join(fmt.Errorf("tensor %q is not in %s, where the index says: %w", tensor, name, palate.ErrInvalid), s.Close())
		}
	}
	return s, nil
}

// Close closes all files.
func (s *Shards) Close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Tensors lists all tensors by name.
func (s *Shards) Tensors() []Tensor {
	var all []Tensor
	for _, name := range slices.Sorted(maps.Keys(s.in)) {
		t, _ := s.in[name].Tensor(name)
		all = append(all, t)
	}
	return all
}

// Tensor tells of one tensor.
func (s *Shards) Tensor(name string) (Tensor, bool) {
	if f := s.in[name]; f != nil {
		return f.Tensor(name)
	}
	return Tensor{}, false
}

// Float32s reads a tensor as File does.
func (s *Shards) Float32s(name string) ([]float32, error) {
	if f := s.in[name]; f != nil {
		return f.Float32s(name)
	}
	return nil, fmt.Errorf("safetensors: tensor %q: %w", name, palate.ErrNotFound)
}

// SHA256 is the hash of the hashes of all files, in the order of their names.
func (s *Shards) SHA256(ctx context.Context) ([sha256.Size]byte, error) {
	hash := sha256.New()
	for _, f := range s.files {
		sum, err := f.SHA256(ctx)
		if err != nil {
			return sum, err
		}
		hash.Write(sum[:])
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

// Size is the bytes of all files.
func (s *Shards) Size() int64 {
	var size int64
	for _, f := range s.files {
		size += f.size
	}
	return size
}
