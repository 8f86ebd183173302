//go:build !cgo

package ort

import (
	"context"
	"errors"
	"unsafe"
)

// Without cgo nothing can be loaded; saying so beats a build that fails
// without naming the cause.
var errNoCgo = errors.New("palate was built without cgo; install a C compiler and build again with CGO_ENABLED=1")

func startNative(string) (string, unsafe.Pointer, error) { return "", nil, errNoCgo }

type nativeSession struct{}

func newNative(unsafe.Pointer, []byte, string, []IOInfo, []IOInfo, SessionConfig) (*nativeSession, error) {
	return nil, errNoCgo
}

func (*nativeSession) run(context.Context, []Tensor, []bool, []Tensor) ([]Tensor, error) {
	return nil, errNoCgo
}

func (*nativeSession) close() error { return nil }

func probe(string) (version string, hasAPI bool, err error) { return "", false, errNoCgo }

func builtProviders(string) ([]string, error) { return nil, errNoCgo }

func canLoad(string) error { return errNoCgo }
