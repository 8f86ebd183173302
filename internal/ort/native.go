//go:build cgo

package ort

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"unsafe"

	onnx "github.com/yalue/onnxruntime_go"

	"github.com/palate-art/palate/internal/operators"
)

// This file is the only one that speaks with onnxruntime_go.

// startNative loads the library for good and gives its version and interface.
func startNative(library string) (version string, api unsafe.Pointer, err error) {
	onnx.SetSharedLibraryPath(library)
	// What goes wrong comes back as an error; the native log would only
	// repeat it on standard error, once for each cancelled run.
	if err := onnx.InitializeEnvironment(onnx.WithLogLevelFatal()); err != nil {
		return "", nil, err
	}
	if err := onnx.DisableTelemetry(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("turn telemetry off: %w", err), onnx.DestroyEnvironment())
	}
	if api, err = interfaceOf(library); err != nil {
		return "", nil, errors.Join(err, onnx.DestroyEnvironment())
	}
	return onnx.GetVersion(), api, nil
}

type nativeSession struct {
	session *onnx.DynamicAdvancedSession
	inputs  []IOInfo
	own     *operators.Operators // nil where they are not asked for
}

// newNative loads the model from path, or from memory if path is empty. api is
// that of the library.
func newNative(api unsafe.Pointer, model []byte, path string, inputs, outputs []IOInfo, c SessionConfig) (_ *nativeSession, err error) {
	options, err := onnx.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, options.Destroy()) }()
	n := &nativeSession{inputs: inputs}
	if c.OwnOperators {
		if n.own, err = operators.Add(api, apiVersion, nativeOptions(options)); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				n.own.Close()
			}
		}()
	}
	if err := options.SetIntraOpNumThreads(c.IntraOpThreads); err != nil {
		return nil, err
	}
	if err := options.SetInterOpNumThreads(1); err != nil {
		return nil, err
	}
	if err := options.SetMemPattern(!c.Lean); err != nil {
		return nil, err
	}
	if c.Device.Kind == DeviceCUDA {
		if err := appendCUDA(options, c.Device); err != nil {
			return nil, err
		}
	}
	if path != "" {
		n.session, err = onnx.NewDynamicAdvancedSession(path, ioNames(inputs), ioNames(outputs), options)
	} else {
		n.session, err = onnx.NewDynamicAdvancedSessionWithONNXData(model, ioNames(inputs), ioNames(outputs), options)
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// nativeOptions is the OrtSessionOptions in options: onnxruntime_go, which has
// no way to add an operator, keeps it as its only field.
func nativeOptions(options *onnx.SessionOptions) unsafe.Pointer {
	return reflect.ValueOf(options).Elem().Field(0).UnsafePointer()
}

func appendCUDA(options *onnx.SessionOptions, d Device) (err error) {
	cuda, err := onnx.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cuda.Destroy()) }()
	settings := map[string]string{
		"device_id": strconv.Itoa(d.Index),
		// The default times every algorithm again for each shape of input.
		// Attention needs no option: in float16 and without a mask it is
		// flash attention by itself.
		"cudnn_conv_algo_search": "HEURISTIC",
	}
	if d.MemoryLimitBytes > 0 {
		settings["gpu_mem_limit"] = strconv.FormatInt(d.MemoryLimitBytes, 10)
		// Doubling on each growth would run into the limit early.
		settings["arena_extend_strategy"] = "kSameAsRequested"
	}
	if err := cuda.Update(settings); err != nil {
		return err
	}
	return options.AppendExecutionProviderCUDA(cuda)
}

// run gives the outputs in the model's order; those not wanted are empty. An
// output that has a place is written there.
func (n *nativeSession) run(ctx context.Context, inputs []Tensor, wanted []bool, places []Tensor) ([]Tensor, error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	in := make([]onnx.Value, len(inputs))
	defer func() { destroyAll(in) }()
	for i, t := range inputs {
		if len(t.Data) > 0 {
			pinner.Pin(&t.Data[0]) // ONNX Runtime keeps the pointer between two calls
		}
		v, err := valueOf(t, n.inputs[i].ElementType, &pinner)
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
		in[i] = v
	}
	out := make([]onnx.Value, len(wanted))
	defer func() { destroyAll(out) }()
	for i, t := range places {
		if len(t.Data) == 0 {
			continue
		}
		pinner.Pin(&t.Data[0])
		v, err := onnx.NewTensor(onnx.NewShape(t.Shape...), t.Data)
		if err != nil {
			return nil, fmt.Errorf("output %d: %w", i, err)
		}
		out[i] = v
	}
	if err := n.runWithContext(ctx, in, out); err != nil {
		return nil, err
	}
	outputs := make([]Tensor, len(out))
	for i, v := range out {
		if !wanted[i] {
			continue
		}
		t, ok := v.(*onnx.Tensor[float32])
		if !ok {
			return nil, fmt.Errorf("output %d is no float32 tensor", i)
		}
		// The values lie in Go's memory and outlive t.
		outputs[i] = Tensor{Shape: t.GetShape(), Data: t.GetData()}
	}
	return outputs, nil
}

// valueOf is a tensor as the model wants its elements.
func valueOf(t Tensor, elementType string, pinner *runtime.Pinner) (onnx.Value, error) {
	shape := onnx.NewShape(t.Shape...)
	switch elementType {
	case Float16:
		data := toFloat16(t.Data)
		if len(data) > 0 {
			pinner.Pin(&data[0])
		}
		return onnx.NewCustomDataTensor(shape, data, onnx.TensorElementDataTypeFloat16)
	case Uint8:
		data := toUint8(t.Data)
		if len(data) > 0 {
			pinner.Pin(&data[0])
		}
		return onnx.NewTensor(shape, data)
	}
	return onnx.NewTensor(shape, t.Data)
}

// runWithContext lets ctx terminate the run.
func (n *nativeSession) runWithContext(ctx context.Context, in, out []onnx.Value) (err error) {
	options, err := onnx.NewRunOptions()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, options.Destroy()) }()
	terminated := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(terminated)
		_ = options.Terminate() // it fails only for options that are destroyed
	})
	err = n.session.RunWithOptions(in, out, options)
	if !stop() {
		<-terminated // the options must outlive the call
	}
	return err
}

func destroyAll(values []onnx.Value) {
	for _, v := range values {
		if v != nil {
			_ = v.Destroy() // it never fails for tensors
		}
	}
}

func (n *nativeSession) close() error {
	err := n.session.Destroy()
	n.own.Close()
	return err
}
