package onnx

import "sync"

// batchLimit is how many pictures one run may take.
type batchLimit struct {
	mu    sync.Mutex
	limit int
}

func (b *batchLimit) get() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit
}

func (b *batchLimit) set(limit int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = limit
}

// halve lowers the limit to half of a batch that was too large; it reports
// whether there is anything less. Runs that fail side by side halve once.
func (b *batchLimit) halve(failed int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if failed <= 1 {
		return false
	}
	b.limit = min(b.limit, failed/2)
	return true
}
