package torchfile

import (
	"archive/zip"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/regular"
	"github.com/palate-art/palate/internal/safetensors"
)

// File is an open checkpoint. Tensors are read one by one, when they are asked
// for. It is safe for concurrent use.
type File struct {
	source   io.ReaderAt
	size     int64
	tensors  map[string]tensor
	storages map[string]section
	closer   io.Closer
}

// section is a part of the file.
type section struct{ at, size int64 }

// classes are the storages of numbers.
var classes = map[string]struct {
	dtype safetensors.DType
	size  int64
}{
	"FloatStorage": {safetensors.F32, 4}, "HalfStorage": {safetensors.F16, 2}, "BFloat16Storage": {safetensors.BF16, 2},
	"DoubleStorage": {"F64", 8}, "LongStorage": {"I64", 8}, "IntStorage": {"I32", 4}, "ShortStorage": {"I16", 2}, "CharStorage": {"I8", 1}, "ByteStorage": {"U8", 1}, "BoolStorage": {"BOOL", 1},
}

// Open reads which tensors a checkpoint of size bytes has. What is wrong with
// it is palate.ErrInvalid. source stays the caller's, who must keep it open.
func Open(source io.ReaderAt, size int64) (*File, error) {
	f := &File{source: source, size: size, storages: map[string]section{}}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("PyTorch checkpoint: %w: %w", palate.ErrInvalid, err)
	}
	return f, nil
}

// OpenFile opens a checkpoint by its path. One that is not there is
// palate.ErrNotFound. The caller must Close it.
func OpenFile(path string) (*File, error) {
	file, err := regular.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("PyTorch checkpoint: %w: %w", palate.ErrNotFound, err)
	case errors.Is(err, palate.ErrInvalid):
		return nil, fmt.Errorf("PyTorch checkpoint: %w", err)
	case err != nil:
		return nil, fmt.Errorf("PyTorch checkpoint: %w: %w", palate.ErrUnavailable, err)
	}
	info, err := file.Stat()
	var f *File
	if err == nil {
		f, err = Open(file, info.Size())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	f.closer = file
	return f, nil
}

// Close closes what OpenFile opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

func (f *File) open() error {
	var first [4]byte
	if _, err := f.source.ReadAt(first[:], 0); err != nil || string(first[:]) != "PK\x03\x04" {
		return errors.New("it is no zip archive; files from before PyTorch 1.6 are not read: load it there and save it again, as safetensors at best")
	}
	archive, err := zip.NewReader(f.source, f.size)
	if err != nil {
		return fmt.Errorf("the zip archive is cut or damaged: %w", err)
	}
	var pickle []byte
	for _, entry := range archive.File {
		name := entry.Name
		if _, inside, found := strings.Cut(name, "/"); found {
			name = inside
		}
		if name == "constants.pkl" || strings.HasPrefix(name, "code/") {
			return errors.New("it is a compiled model (TorchScript), which holds code; export the model to ONNX, or save its state_dict")
		}
		if entry.Method != zip.Store {
			return fmt.Errorf("entry %q is compressed, as PyTorch's are not", entry.Name)
		}
		at, err := entry.DataOffset()
		if err != nil || entry.UncompressedSize64 > uint64(f.size) || at < 0 || at > f.size-int64(entry.UncompressedSize64) {
			return fmt.Errorf("entry %q lies outside of the file", entry.Name)
		}
		part := section{at, int64(entry.UncompressedSize64)}
		switch key, isData := strings.CutPrefix(name, "data/"); {
		case name == "data.pkl":
			if part.size > maxPickleBytes {
				return fmt.Errorf("entry %q has %d bytes, at most %d", entry.Name, part.size, maxPickleBytes)
			}
			if pickle, err = f.read(part); err != nil {
				return err
			}
		case name == "byteorder":
			if order, err := f.read(section{at, min(part.size, 16)}); err != nil || strings.TrimSpace(string(order)) != "little" {
				return fmt.Errorf("its numbers are in the byte order %q, want little", order)
			}
		case isData:
			f.storages[key] = part
		}
	}
	if pickle == nil {
		return errors.New("the zip archive has no data.pkl: it is no checkpoint")
	}
	value, err := unpickle(pickle)
	if err != nil {
		return err
	}
	if f.tensors = modelOf(value, 0); len(f.tensors) == 0 {
		return errors.New("there is no dictionary of tensors in it, at the top or as state_dict, model, teacher or the like")
	}
	return f.checkStorages()
}

// checkStorages holds the tensors against the bytes that are there.
func (f *File) checkStorages() error {
	for name, t := range f.tensors {
		class, known := classes[t.storage.class]
		if !known {
			return fmt.Errorf("tensor %q is in a %s, which palate doesn't know", name, t.storage.class)
		}
		if part, found := f.storages[t.storage.key]; !found || t.storage.count > part.size/class.size {
			return fmt.Errorf("tensor %q is in storage %q of %d elements, of which %d bytes are there", name, t.storage.key, t.storage.count, part.size)
		}
	}
	return nil
}

// wrappers are the names under which training scripts keep a model, the one
// that is to be used first. A student is never taken.
var wrappers = []string{"state_dict_ema", "model_ema", "teacher", "state_dict", "model", "module", "model_state_dict", "visual"}

// modelOf finds the dictionary of tensors.
func modelOf(v any, depth int) map[string]tensor {
	d, is := v.(*dict)
	if !is || depth > 4 {
		return nil
	}
	tensors := map[string]tensor{}
	for i, key := range d.keys {
		name, isText := key.(string)
		if t, isTensor := d.values[i].(tensor); isText && isTensor {
			tensors[strings.TrimPrefix(name, "module.")] = t
		}
	}
	if len(tensors) > 1 {
		return tensors
	}
	for _, wrapper := range wrappers {
		for i, key := range d.keys {
			if inner := modelOf(d.values[i], depth+1); key == wrapper && len(inner) > 0 {
				return inner
			}
		}
	}
	return tensors
}

// read gives a part's bytes.
func (f *File) read(part section) ([]byte, error) {
	raw := make([]byte, part.size)
	if n, err := f.source.ReadAt(raw, part.at); n < len(raw) {
		if err == nil || errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: the file has become shorter", palate.ErrInvalid)
		}
		return nil, fmt.Errorf("%w: %w", palate.ErrUnavailable, err)
	}
	return raw, nil
}

// Tensors lists all tensors by name.
func (f *File) Tensors() []safetensors.Tensor {
	all := make([]safetensors.Tensor, 0, len(f.tensors))
	for _, name := range slices.SortedFunc(maps.Keys(f.tensors), cmp.Compare[string]) {
		t, _ := f.Tensor(name)
		all = append(all, t)
	}
	return all
}

// Tensor tells of one tensor.
func (f *File) Tensor(name string) (safetensors.Tensor, bool) {
	t, found := f.tensors[name]
	if !found {
		return safetensors.Tensor{}, false
	}
	class := classes[t.storage.class]
	told := safetensors.Tensor{Name: name, DType: class.dtype, Shape: slices.Clone(t.shape)}
	told.Bytes = told.Elements() * class.size
	return told, true
}

// Float32s reads a tensor, row by row, with the errors of
// safetensors.File.Float32s.
func (f *File) Float32s(name string) ([]float32, error) {
	told, found := f.Tensor(name)
	if !found {
		return nil, fmt.Errorf("PyTorch checkpoint: tensor %q: %w", name, palate.ErrNotFound)
	}
	t, class := f.tensors[name], classes[f.tensors[name].storage.class]
	var value func(raw []byte) float32
	switch class.dtype {
	case safetensors.F32:
		value = func(raw []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(raw)) }
	case safetensors.F16:
		value = func(raw []byte) float32 { return safetensors.Float16(binary.LittleEndian.Uint16(raw)) }
	case safetensors.BF16:
		value = func(raw []byte) float32 {
			return math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw)) << 16)
		}
	default:
		return nil, fmt.Errorf("PyTorch checkpoint: tensor %q is of type %s, which can't be read as float32: %w", name, class.dtype, palate.ErrInvalid)
	}
	values := make([]float32, told.Elements())
	if len(values) == 0 {
		return values, nil
	}
	last := int64(0)
	for d, n := range t.shape {
		last += (n - 1) * t.stride[d]
	}
	raw, err := f.read(section{f.storages[t.storage.key].at + t.offset*class.size, (last + 1) * class.size})
	if err != nil {
		return nil, fmt.Errorf("PyTorch checkpoint: tensor %q: %w", name, err)
	}
	index, at := make([]int64, len(t.shape)), int64(0)
	for i := range values {
		values[i] = value(raw[at*class.size:])
		for d := len(index) - 1; d >= 0; d-- {
			if index[d]++; index[d] < t.shape[d] {
				at += t.stride[d]
				break
			}
			at -= (t.shape[d] - 1) * t.stride[d]
			index[d] = 0
		}
	}
	return values, nil
}

// SHA256 hashes the whole file. It returns promptly with ctx's error once ctx
// is done.
func (f *File) SHA256(ctx context.Context) ([sha256.Size]byte, error) {
	hash := sha256.New()
	const chunk = 1 << 20
	for done := int64(0); done < f.size; done += chunk {
		if err := ctx.Err(); err != nil {
			return [sha256.Size]byte{}, fmt.Errorf("PyTorch checkpoint: hash the file: %w", err)
		}
		part, err := f.read(section{done, min(chunk, f.size-done)})
		if err != nil {
			return [sha256.Size]byte{}, fmt.Errorf("PyTorch checkpoint: hash the file: %w", err)
		}
		hash.Write(part)
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}
