package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/sketch"
	"github.com/palate-art/palate/test/copies"
)

// known is a picture of which it is known what it shows.
type known struct {
	work    string
	picture *sketch.Picture
}

// told counts pairs: all, those that can be laid over each other by their
// brightness, and those that are the same also by their colours.
type told struct{ all, laid, same int }

// knownWorks lays every picture over every other. Those of one sub-folder show one
// work; one that lies in the folder itself shows a work of its own.
func knownWorks(ctx context.Context, folder string) error {
	var all []known
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		s, err := sketchOf(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, "copies: left out:", err)
			return nil
		}
		work, err := filepath.Rel(folder, path)
		if name, _, in := strings.Cut(work, string(filepath.Separator)); in {
			work = name
		}
		all = append(all, known{work, sketch.NewPicture(s)})
		return err
	})
	if err != nil {
		return err
	}
	var one, two told
	for i, a := range all {
		for _, b := range all[:i] {
			t := &two
			if a.work == b.work {
				t = &one
			}
			t.count(a.picture, b.picture)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Printf("| %d pictures | pairs | laid over each other | the same |\n|---|---|---|---|\n", len(all))
	fmt.Printf("| of one work | %d | %d | %d |\n| of two works | %d | %d | %d |\n", one.all, one.laid, one.same, two.all, two.laid, two.same)
	return nil
}

func (t *told) count(a, b *sketch.Picture) {
	t.all++
	if max(a.Within(b), b.Within(a)) >= sketch.Copied {
		t.laid++
	}
	if sketch.Same(a, b) {
		t.same++
	}
}

func sketchOf(path string) (*sketch.Sketch, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m, _, err := picture.DecodeAtLeast(file, picture.DefaultLimits(), 2*sketch.Side)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return copies.Sketch(m)
}
