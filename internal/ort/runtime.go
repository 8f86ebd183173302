package ort

import (
	"context"
	"fmt"
	"os"
	"unsafe"

	"github.com/palate-art/palate"
)

// Runtime is ONNX Runtime, loaded into this process. It is safe for
// concurrent use.
type Runtime struct {
	library   Library
	providers []Provider
	api       unsafe.Pointer // OrtApi, of the library
}

// A process has at most one ONNX Runtime, and it can't be taken out again
// while anything may still use it.
//
// turn is held by whoever reads or writes runtime. It is a channel because the
// holder may be fetching for minutes, and the others' contexts count meanwhile.
var loaded = struct {
	turn    chan struct{}
	runtime *Runtime
}{turn: make(chan struct{}, 1)}

// Load finds ONNX Runtime as Find does and loads it. The first call that
// succeeds decides for the whole process; later calls give the same Runtime.
// A later call that names another LibraryPath gets ErrConflict. Errors are
// those of Find, or ErrUnavailable if the library doesn't load.
func Load(ctx context.Context, c Config) (*Runtime, error) {
	select {
	case loaded.turn <- struct{}{}:
		defer func() { <-loaded.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("load onnx runtime: %w", ctx.Err())
	}
	if r := loaded.runtime; r != nil {
		if c.LibraryPath != "" && !sameFile(c.LibraryPath, r.library.Path) {
			return nil, fmt.Errorf("load onnx runtime %s: %s is loaded already: %w", c.LibraryPath, r.library.Path, palate.ErrConflict)
		}
		return r, nil
	}
	lib, err := Find(ctx, c)
	if err != nil {
		return nil, err
	}
	providers, err := examineProviders(lib.Path)
	if err != nil {
		return nil, fmt.Errorf("load onnx runtime %s (%s): %w: %w", lib.Path, lib.Origin, palate.ErrUnavailable, err)
	}
	var api unsafe.Pointer
	if lib.Version, api, err = startNative(lib.Path); err != nil {
		return nil, fmt.Errorf("load onnx runtime %s (%s): %w: %w", lib.Path, lib.Origin, palate.ErrUnavailable, err)
	}
	loaded.runtime = &Runtime{library: lib, providers: providers, api: api}
	c.logger().Info("onnx runtime loaded", "path", lib.Path, "version", lib.Version, "origin", lib.Origin)
	return loaded.runtime, nil
}

func sameFile(a, b string) bool {
	ia, err := os.Stat(a)
	if err != nil {
		return false
	}
	ib, err := os.Stat(b)
	return err == nil && os.SameFile(ia, ib)
}

// Library tells which library is loaded.
func (r *Runtime) Library() Library { return r.library }

// Providers tells which execution providers there are, as seen when it was loaded.
func (r *Runtime) Providers() []Provider {
	return append([]Provider(nil), r.providers...)
}
