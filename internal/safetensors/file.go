package safetensors

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/regular"
)

// File is an open safetensors file whose header holds together. Tensors are
// read one by one, when they are asked for. It is safe for concurrent use.
type File struct {
	source   io.ReaderAt
	size     int64 // of the whole file
	data     int64 // where the data section begins
	tensors  map[string]Tensor
	metadata map[string]string
	closer   io.Closer
}

// chunkBytes is read at once, a multiple of every element's size.
const chunkBytes = 1 << 20

// Open reads the header of a file of size bytes. Whatever is wrong with it is
// palate.ErrInvalid, and the text names the tensor. source stays the
// caller's, who must keep it open.
func Open(source io.ReaderAt, size int64) (*File, error) {
	f := &File{source: source, size: size}
	var length [8]byte
	if size < int64(len(length)) {
		return nil, fmt.Errorf("safetensors: %d bytes are too short for a header: %w", size, palate.ErrInvalid)
	}
	if err := f.readAt(length[:], 0); err != nil {
		return nil, fmt.Errorf("safetensors: read the header's length: %w", err)
	}
	headerBytes := binary.LittleEndian.Uint64(length[:])
	if headerBytes > uint64(size)-8 || headerBytes > maxHeaderBytes {
		return nil, fmt.Errorf("safetensors: a header of %d bytes in a file of %d, at most %d: the file is cut or of another kind: %w",
			headerBytes, size, maxHeaderBytes, palate.ErrInvalid)
	}
	header := make([]byte, headerBytes)
	if err := f.readAt(header, 8); err != nil {
		return nil, fmt.Errorf("safetensors: read the header: %w", err)
	}
	f.data = 8 + int64(headerBytes)
	var err error
	if f.tensors, f.metadata, err = parseHeader(header, size-f.data); err != nil {
		return nil, fmt.Errorf("safetensors: %w: %w", palate.ErrInvalid, err)
	}
	return f, nil
}

// OpenFile opens a file by its path. One that is not there is
// palate.ErrNotFound. The caller must Close it.
func OpenFile(path string) (*File, error) {
	file, err := regular.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("safetensors: %w: %w", palate.ErrNotFound, err)
	}
	if errors.Is(err, palate.ErrInvalid) {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w: %w", palate.ErrUnavailable, err)
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

// readAt fills p. A file that has become shorter is palate.ErrInvalid.
func (f *File) readAt(p []byte, offset int64) error {
	n, err := f.source.ReadAt(p, offset)
	switch {
	case n == len(p):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the file ends at byte %d, it had %d", palate.ErrInvalid, offset+int64(n), f.size)
	}
	return fmt.Errorf("%w: %w", palate.ErrUnavailable, err)
}

// Metadata is the header's map of texts, nil where there is none.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Tensors lists all tensors by name.
func (f *File) Tensors() []Tensor {
	list := slices.SortedFunc(maps.Values(f.tensors), func(a, b Tensor) int { return cmp.Compare(a.Name, b.Name) })
	for i := range list {
		list[i].Shape = slices.Clone(list[i].Shape)
	}
	return list
}

// byPlace orders tensors as they lie in the file; empty ones come before the
// one that begins at the same byte.
func byPlace(a, b Tensor) int {
	return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.Bytes, b.Bytes), cmp.Compare(a.Name, b.Name))
}

// Tensor tells of one tensor.
func (f *File) Tensor(name string) (Tensor, bool) {
	t, ok := f.tensors[name]
	t.Shape = slices.Clone(t.Shape)
	return t, ok
}

// Float32s reads a tensor of type F32, F16 or BF16, row by row. The values
// are exact. A tensor that is not there is palate.ErrNotFound, one of another
// type palate.ErrInvalid, as is a file that has become shorter meanwhile.
func (f *File) Float32s(name string) ([]float32, error) {
	t, ok := f.tensors[name]
	if !ok {
		return nil, fmt.Errorf("safetensors: tensor %q: %w", name, palate.ErrNotFound)
	}
	d, ok := decoders[t.DType]
	if !ok {
		return nil, fmt.Errorf("safetensors: tensor %q is of type %s, which can't be read as float32 (F32, F16 and BF16 can): %w", name, t.DType, palate.ErrInvalid)
	}
	values := make([]float32, t.Elements())
	raw := make([]byte, min(t.Bytes, chunkBytes))
	for done := int64(0); done < t.Bytes; done += int64(len(raw)) {
		raw = raw[:min(t.Bytes-done, chunkBytes)]
		if err := f.readAt(raw, f.data+t.begin+done); err != nil {
			return nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
		}
		d.decode(values[done/d.size:][:int64(len(raw))/d.size], raw)
	}
	return values, nil
}

// SHA256 hashes the whole file. It returns promptly with ctx's error once ctx
// is done.
func (f *File) SHA256(ctx context.Context) ([sha256.Size]byte, error) {
	hash := sha256.New()
	buffer := make([]byte, chunkBytes)
	for done := int64(0); done < f.size; done += int64(len(buffer)) {
		if err := ctx.Err(); err != nil {
			return [sha256.Size]byte{}, fmt.Errorf("safetensors: hash the file: %w", err)
		}
		buffer = buffer[:min(f.size-done, chunkBytes)]
		if err := f.readAt(buffer, done); err != nil {
			return [sha256.Size]byte{}, fmt.Errorf("safetensors: hash the file: %w", err)
		}
		hash.Write(buffer)
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}
