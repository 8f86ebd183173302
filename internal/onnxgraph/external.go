package onnxgraph

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/palate-art/palate/internal/atomicfile"
)

// externalAlignment is what offsets of weights in their own file are
// multiples of, so that a runtime can map them into memory.
const externalAlignment = 4096

// place is where a tensor's elements are.
type place struct {
	file           string
	offset, length int64
}

func (p *place) fields(out *message) {
	for _, field := range [][2]string{{"location", p.file}, {"offset", strconv.FormatInt(p.offset, 10)}, {"length", strconv.FormatInt(p.length, 10)}} {
		entry := &message{}
		entry.item(1, field[0])
		entry.item(2, field[1])
		out.message(13, entry)
	}
	out.int(14, 1) // data_location: external
}

// WriteFiles validates the model and writes it to path. Initialisers of at
// least apart bytes go, if there are any, to a second file beside it, whose
// name is that of the first with ".weights" after it; the two must stay
// together. It gives the paths of the files that it wrote. Each appears whole
// or not at all, the model's last; an older model at path is removed first, so
// that it never stands beside weights that are not its own.
func (m *Model) WriteFiles(path string, apart int64) (files []string, err error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	outside := path + ".weights"
	slim, moved := m.without(filepath.Base(outside), apart)
	file, err := slim.bounded()
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("write onnx model: %w", err)
	}
	if len(moved) > 0 {
		if err := atomicfile.Write(outside, 0o644, func(w io.Writer) error { return writeApart(w, moved) }); err != nil {
			return nil, fmt.Errorf("write weights of onnx model: %w", err)
		}
		files = append(files, outside)
	}
	err = atomicfile.Write(path, 0o644, func(w io.Writer) error {
		_, err := file.writeTo(w)
		return err
	})
	if err != nil {
		return files, fmt.Errorf("write onnx model: %w", err)
	}
	return append(files, path), nil
}

// without gives the model with large initialisers told to be in a file, and
// those in their order there.
func (m *Model) without(file string, apart int64) (slim *Model, moved []Tensor) {
	copied, graph := *m, *m.Graph
	graph.Initialisers = slices.Clone(graph.Initialisers)
	end := int64(0)
	for i, t := range graph.Initialisers {
		if t.Type == String || int64(len(t.Raw)) < max(apart, 1) {
			continue
		}
		end = (end + externalAlignment - 1) / externalAlignment * externalAlignment
		t.external = &place{file: file, offset: end, length: int64(len(t.Raw))}
		end += t.external.length
		graph.Initialisers[i], moved = t, append(moved, t)
	}
	copied.Graph = &graph
	return &copied, moved
}

func writeApart(w io.Writer, tensors []Tensor) error {
	var gap [externalAlignment]byte
	end := int64(0)
	for _, t := range tensors {
		if _, err := w.Write(gap[:t.external.offset-end]); err != nil {
			return err
		}
		if _, err := w.Write(t.Raw); err != nil {
			return err
		}
		end = t.external.offset + t.external.length
	}
	return nil
}
