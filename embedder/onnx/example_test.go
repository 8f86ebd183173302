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
