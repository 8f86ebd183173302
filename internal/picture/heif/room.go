package heif

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero/experimental"
)

// room is the memory of one decoding, and refuses what is above its limit.
type room struct {
	limit   uint64
	refused bool
	bytes   []byte
	release func()
}

// Allocate reserves all of the limit where the system gives pages when they
// are touched.
func (r *room) Allocate(_, _ uint64) experimental.LinearMemory {
	r.bytes, r.release = reserve(int(r.limit))
	return r
}

// Reallocate grows the memory, or gives nil.
func (r *room) Reallocate(size uint64) []byte {
	if size > r.limit {
		r.refused = true
		return nil
	}
	if size > uint64(cap(r.bytes)) {
		grown := make([]byte, size, min(size+size/4, r.limit))
		copy(grown, r.bytes)
		r.bytes = grown
	}
	r.bytes = r.bytes[:size]
	return r.bytes
}

// Free does nothing yet: an instance is closed by the end of its context too,
// and must not lose its memory while somebody reads there.
func (r *room) Free() {}

// drop gives the memory back.
func (r *room) drop() {
	r.bytes = nil
	if r.release != nil {
		r.release()
		r.release = nil
	}
}

// explain says why a decoding failed.
func (r *room) explain(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case r.refused:
		return fmt.Errorf("%w (%d MiB)", ErrMemory, r.limit>>20)
	}
	return errDecode
}
