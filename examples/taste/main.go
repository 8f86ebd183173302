// Command taste learns a taste from the pictures in the folders good and bad,
// says how well it is learned, and scores the other pictures beside them.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/probe"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: taste FOLDER")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "taste:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, folder string) (err error) {
	runtime, err := onnx.LoadRuntime(ctx, onnx.DefaultRuntimeConfig())
	if err != nil {
		return err
	}
	graph, description := baseline.Model()
	e, err := onnx.Open(ctx, runtime, graph, description, onnx.DefaultConfig())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()

	var examples []probe.Example
	for verdict, liked := range map[string]bool{"good": true, "bad": false} {
		err := each(ctx, e, filepath.Join(folder, verdict), func(_ string, id palate.ImageID, vector palate.Embedding) {
			examples = append(examples, probe.Example{Image: id, Embedding: vector, Liked: liked})
		})
		if err != nil {
			return err
		}
	}
	taste, report, err := probe.Train(ctx, examples, e.Model(), probe.DefaultConfig())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "AUC %.3f [%.3f, %.3f] on %d likes and %d dislikes, each predicted without itself\n",
		report.AUC, report.AUCLow, report.AUCHigh, report.Likes, report.Dislikes)
	return each(ctx, e, folder, func(name string, _ palate.ImageID, vector palate.Embedding) {
		fmt.Fprintf(out, "%3.0f %%  %s\n", 100*taste.Probability(taste.Score(vector)), name)
	})
}

// each embeds the pictures that lie in a folder itself.
func each(ctx context.Context, e embedder.Embedder, folder string, visit func(name string, id palate.ImageID, vector palate.Embedding)) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, file := range files {
		if file.IsDir() {
			continue
		}
		if err := one(ctx, e, folder, file, visit); err != nil {
			return fmt.Errorf("%s: %w", file.Name(), err)
		}
	}
	return nil
}

func one(ctx context.Context, e embedder.Embedder, folder string, file fs.DirEntry, visit func(string, palate.ImageID, palate.Embedding)) error {
	f, err := os.Open(filepath.Join(folder, file.Name()))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	hash := sha256.New()
	vector, err := embedder.EmbedPicture(ctx, e, io.TeeReader(f, hash), embedder.DefaultLimits())
	if err == nil {
		_, err = io.Copy(hash, f) // what the decoder left
	}
	if err != nil {
		return err
	}
	visit(file.Name(), palate.NewImageID([sha256.Size]byte(hash.Sum(nil))), vector)
	return nil
}
