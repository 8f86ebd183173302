// Command neighbours embeds the pictures of a folder and prints the nearest
// neighbours of each.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: neighbours FOLDER")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "neighbours:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, folder string) (err error) {
	e, err := openModel(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	pictures, err := flat.New(e.Model(), e.Dim())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pictures.Close()) }()

	names := make(map[palate.ImageID]string)
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			return err
		}
		vector, err := embedder.EmbedPicture(ctx, e, bytes.NewReader(content), embedder.DefaultLimits())
		if errors.Is(err, palate.ErrInvalid) {
			fmt.Fprintf(out, "%s is passed by: %v\n", file.Name(), err)
			continue
		}
		if err != nil {
			return err
		}
		id := palate.NewImageID(sha256.Sum256(content))
		names[id] = file.Name()
		if err := pictures.Upsert(ctx, []index.Point{{ID: id, Embedding: vector}}); err != nil {
			return err
		}
	}
	for id, name := range names {
		hits, err := pictures.Search(ctx, index.Query{Near: &id, Limit: 3})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s:", name)
		for _, hit := range hits {
			fmt.Fprintf(out, " %s (%.3f)", names[hit.ID], hit.Score)
		}
		fmt.Fprintln(out)
	}
	return nil
}

// openModel opens the built-in model. onnx.OpenFile opens any other one.
func openModel(ctx context.Context) (*onnx.Embedder, error) {
	runtime, err := onnx.LoadRuntime(ctx, onnx.DefaultRuntimeConfig())
	if err != nil {
		return nil, err
	}
	graph, description := baseline.Model()
	return onnx.Open(ctx, runtime, graph, description, onnx.DefaultConfig())
}
