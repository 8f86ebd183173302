//go:build cgo

package ort

import (
	"fmt"
	"sync"

	onnx "github.com/yalue/onnxruntime_go"
)

// opening is held while sessions are opened that share memory: ONNX Runtime
// knows one shared place at a time.
var opening sync.Mutex

// Together lets the sessions that are opened with SessionConfig.Shared before
// done is called share the memory that their runs take on the CPU. It is freed
// when the last of them is closed; sessions opened at the next call have
// another. A second call waits for the first one's done.
func (r *Runtime) Together() (done func() error, err error) {
	opening.Lock()
	defer func() {
		if err != nil {
			opening.Unlock()
			err = fmt.Errorf("onnx runtime: memory for several sessions: %w", err)
		}
	}()
	info, err := onnx.GetMemoryInfo()
	if err != nil {
		return nil, err
	}
	if err := onnx.CreateAndRegisterAllocator(info, nil); err != nil {
		return nil, err
	}
	return func() error {
		defer opening.Unlock()
		return onnx.UnregisterAllocator(info)
	}, nil
}
