package onnx_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
)

// The built-in model needs no file; OpenFile opens an .onnx file with its
// description beside it.
func ExampleOpen() {
	ctx := context.Background()
	runtime, err := onnx.LoadRuntime(ctx, onnx.DefaultRuntimeConfig())
	if err != nil {
		panic(err)
	}
	graph, description := baseline.Model()
	model, err := onnx.Open(ctx, runtime, graph, description, onnx.DefaultConfig())
	if err != nil {
		panic(err)
	}
	defer func() { _ = model.Close() }()
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 300, 200))); err != nil {
		panic(err)
	}
	vector, err := embedder.EmbedPicture(ctx, model, &file, embedder.DefaultLimits())
	if err != nil {
		panic(err)
	}
	fmt.Println(model.Name(), len(vector) == model.Dim(), vector.Validate(model.Dim()))
	// Output: baseline true <nil>
}

// A program takes the device as palate --device does, and embeds several
// pictures at once.
func ExampleParseDevice() {
	ctx := context.Background()
	device, err := onnx.ParseDevice("cpu")
	if err != nil {
		panic(err)
	}
	runtime, err := onnx.LoadRuntime(ctx, onnx.DefaultRuntimeConfig())
	if err != nil {
		panic(err)
	}
	config := onnx.DefaultConfig()
	config.Device = device
	graph, description := baseline.Model()
	model, err := onnx.Open(ctx, runtime, graph, description, config)
	if err != nil {
		panic(err)
	}
	defer func() { _ = model.Close() }()
	var inputs []embedder.Input
	for _, width := range []int{300, 500} {
		var file bytes.Buffer
		if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, width, 200))); err != nil {
			panic(err)
		}
		input, err := embedder.Read(model, &file, embedder.DefaultLimits())
		if err != nil {
			panic(err)
		}
		inputs = append(inputs, input)
	}
	vectors, err := model.Embed(ctx, inputs)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(vectors), len(vectors[1]) == model.Dim(), model.Provider())
	// Output: 2 true cpu
}
