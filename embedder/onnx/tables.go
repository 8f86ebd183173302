package onnx

import (
	"container/list"
	"fmt"
	"sync"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
)

// maxTableBytes bounds the tables that are kept: those of a dozen sizes of a
// large model at 518, or of every size of a small one.
const maxTableBytes = 64 << 20

type tableSize struct{ width, height int }

type tableEntry struct {
	size   tableSize
	tables map[string]ort.Tensor
	bytes  int
}

// tableCache keeps the tables of the sizes that were asked for last.
type tableCache struct {
	compute func(width, height int) (map[string]embedder.Tensor, error)

	mu     sync.Mutex
	recent *list.List // of *tableEntry, the last asked for in front
	bySize map[tableSize]*list.Element
	bytes  int
}

func newTableCache(compute func(width, height int) (map[string]embedder.Tensor, error)) *tableCache {
	return &tableCache{compute: compute, recent: list.New(), bySize: map[tableSize]*list.Element{}}
}

// get gives the tables of a size; they must not be changed.
func (c *tableCache) get(width, height int) (map[string]ort.Tensor, error) {
	size := tableSize{width, height}
	if tables, ok := c.kept(size); ok {
		return tables, nil
	}
	// Two that ask at once may both compute: that is rare and harmless.
	computed, err := c.compute(width, height)
	if err != nil {
		return nil, fmt.Errorf("tables for an input of %d×%d: %w", width, height, err)
	}
	tables := make(map[string]ort.Tensor, len(computed))
	for name, t := range computed {
		tables[name] = ort.Tensor(t)
	}
	c.keep(size, tables)
	return tables, nil
}

func (c *tableCache) kept(size tableSize) (map[string]ort.Tensor, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.bySize[size]
	if !ok {
		return nil, false
	}
	c.recent.MoveToFront(element)
	return element.Value.(*tableEntry).tables, true
}

func (c *tableCache) keep(size tableSize, tables map[string]ort.Tensor) {
	entry := &tableEntry{size: size, tables: tables}
	for _, t := range tables {
		entry.bytes += 4 * len(t.Data)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.bySize[size]; ok {
		return
	}
	c.bySize[size] = c.recent.PushFront(entry)
	c.bytes += entry.bytes
	for c.bytes > maxTableBytes && c.recent.Len() > 1 {
		last := c.recent.Remove(c.recent.Back()).(*tableEntry)
		delete(c.bySize, last.size)
		c.bytes -= last.bytes
	}
}
